// rules.js: the two checks that need no Multitool.
//   node rules.js [--plain] SCHEMA.json FILE...   JSON schema, then the rules GitHub applies and no validator knows
//   node rules.js --samples DIR                   write good-*.sarif and bad-*.sarif, to prove that the check can fail
// Needs the npm package jsonschema 1.5 (the validator that GitHub's upload action uses). Exit 0 good, 1 errors, 2 not run.
'use strict';
const fs = require('fs'), path = require('path'), zlib = require('zlib');

const LEVELS = ['note', 'warning', 'error'];
const DIGEST = /sha256|[0-9a-f]{40,}/i;
const text = (s, max) => typeof s === 'string' && s.length > 0 && (!max || s.length <= max);

/** Everything wrong with one log, as strings "where: what". `plain` allows suppressions and passed results. */
function github(log, bytes, plain) {
  const errors = [], say = (where, what) => errors.push(`${where}: ${what}`);
  const runs = Array.isArray(log.runs) ? log.runs : [];
  if (!text(log.$schema)) say('log', '$schema is required');
  if (log.version !== '2.1.0') say('log', 'version must be 2.1.0');
  if (runs.length < 1 || runs.length > 20) say('log', `1 to 20 runs, found ${runs.length}`);
  if (zlib.gzipSync(bytes).length > 10e6) say('log', 'over 10 MB when gzip-compressed');
  const categories = new Set();
  runs.forEach((run, r) => {
    const at = `runs[${r}]`, driver = (run.tool || {}).driver || {}, rules = driver.rules || [];
    const id = (run.automationDetails || {}).id || '';
    const category = id.includes('/') ? id.slice(0, id.lastIndexOf('/')) : '';
    const identity = JSON.stringify([driver.name, driver.fullName, driver.version, driver.semanticVersion, driver.guid, category]);
    if (categories.has(identity)) say(at, `same tool and category as an earlier run: "${category}"`);
    categories.add(identity);
    if (id && !id.includes('/')) say(at, 'automationDetails.id without a slash is a run id, not a category');
    if (DIGEST.test(category)) say(at, 'category holds a digest: its alerts would never close');
    if (!plain && (run.invocations || []).some((i) => i.executionSuccessful === false)) {
      say(at, 'executionSuccessful false: GitHub refuses it');
    }
    if (!text(driver.name)) say(at, 'tool.driver.name is required');
    if (!Array.isArray(driver.rules)) say(at, 'tool.driver.rules is required');
    if (!Array.isArray(run.results)) say(at, 'results is required, empty when there is nothing to tell');
    const known = new Map();
    rules.forEach((rule, n) => {
      const here = `${at} rule ${rule.id || n}`, p = rule.properties || {}, level = (rule.defaultConfiguration || {}).level;
      if (!text(rule.id)) say(here, 'id is required');
      if (known.has(rule.id)) say(here, 'id is not unique');
      known.set(rule.id, n);
      if (rule.name !== undefined && (!text(rule.name, 255) || rule.name === rule.id)) say(here, 'name: 1 to 255 characters, not the id');
      for (const f of ['shortDescription', 'fullDescription']) {
        if (!text((rule[f] || {}).text, 1024)) say(here, `${f}.text: 1 to 1,024 characters`);
      }
      if (!text((rule.help || {}).text)) say(here, 'help.text is required');
      if (level !== undefined && !LEVELS.includes(level)) say(here, `level "${level}"`);
      if ((p.tags || []).length > 10) say(here, 'over 10 tags: the rest is dropped, over 20 the file is refused');
      const score = p['security-severity'];
      if (score !== undefined) {
        if (typeof score !== 'string' || !(Number(score) > 0 && Number(score) <= 10)) {
          say(here, 'security-severity: a string over 0.0 up to 10.0');
        }
        if (!(p.tags || []).includes('security')) say(here, 'security-severity without the tag "security"');
      }
    });
    const results = run.results || [], seen = new Set();
    for (const f of ['suppressions', 'baselineState']) {   // SARIF 2.1.0, 3.27.23 and 3.27.24
      const have = results.filter((res) => res[f] !== undefined).length;
      if (have > 0 && have < results.length) say(at, `${f} on some results only: on all or on none`);
    }
    for (const i of run.invocations || []) {   // SARIF 2.1.0, 3.20.21 and 3.20.22
      const notes = [...(i.toolExecutionNotifications || []), ...(i.toolConfigurationNotifications || [])];
      if (i.executionSuccessful && notes.some((x) => x.level === 'error')) say(at, 'a notification of level error means a failed run');
    }
    if (results.length > 5000) say(at, `${results.length} results: GitHub keeps 5,000 and refuses over 25,000`);
    results.forEach((res, n) => {
      const here = `${at}.results[${n}]`, locations = res.locations || [];
      const hash = (res.partialFingerprints || {}).primaryLocationLineHash;
      if (!known.has(res.ruleId)) say(here, `ruleId "${res.ruleId}" is not among the rules`);
      else if (res.ruleIndex !== undefined && res.ruleIndex !== known.get(res.ruleId)) say(here, 'ruleIndex points at another rule');
      if (!text((res.message || {}).text)) say(here, 'message.text is required');
      if (!plain && res.kind !== undefined && res.kind !== 'fail') say(here, `kind "${res.kind}" would open an alert`);
      if (!plain && (res.suppressions || []).length) say(here, 'suppressed: GitHub opens an alert all the same');
      if (res.level !== undefined && !LEVELS.includes(res.level) && !(plain && res.level === 'none')) say(here, `level "${res.level}"`);
      if (!text(hash)) say(here, 'partialFingerprints.primaryLocationLineHash is required');
      if (locations.length < 1 || locations.length > 10) say(here, `1 to 10 locations, found ${locations.length}`);
      locations.forEach((l) => {
        const phys = l.physicalLocation || {}, uri = (phys.artifactLocation || {}).uri, g = phys.region || {};
        if (!text(uri)) say(here, 'artifactLocation.uri is empty');
        else if (/^[A-Za-z][A-Za-z0-9+.-]*:|^\/|\\|\s|(^|\/)\.\.?(\/|$)|\/\/|%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]|[[\]{}<>"^`|#?]/.test(uri)) {
          say(here, `uri "${uri}" is not a clean relative path`);
        } else if (DIGEST.test(uri)) say(here, `uri "${uri}" holds a digest: its alerts would never close`);
        const four = [g.startLine, g.startColumn, g.endLine, g.endColumn];
        if (!four.every((x) => Number.isInteger(x) && x >= 1)) say(here, 'region needs four whole numbers from 1');
        else if (four[2] < four[0] || (four[2] === four[0] && four[3] < four[1])) say(here, 'region ends before it starts');
      });
      const key = JSON.stringify([res.ruleId, (((locations[0] || {}).physicalLocation || {}).artifactLocation || {}).uri, hash]);
      if (seen.has(key)) say(here, 'same rule, place and fingerprint as an earlier result');
      seen.add(key);
    });
  });
  return errors;
}

function samples(dir) {
  const base = () => ({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [{
      tool: { driver: { name: 'scant', semanticVersion: '0.1.0', informationUri: 'https://example.org/scant', rules: [{
        id: 'shell', name: 'ShellPresent', shortDescription: { text: 'A shell is in the image.' },
        fullDescription: { text: 'A distroless image carries no shell.' },
        help: { text: 'Copy the program into a distroless base.', markdown: 'Copy the program into a distroless base.' },
        defaultConfiguration: { level: 'error' },
        properties: { tags: ['security', 'external/cwe/cwe-1188'], precision: 'very-high', 'security-severity': '8.0' } }] } },
      invocations: [{ executionSuccessful: true }], columnKind: 'utf16CodeUnits', results: [{
        ruleId: 'shell', ruleIndex: 0, level: 'error', message: { text: 'Shell dash at /bin/sh in acme/app.' },
        locations: [{ physicalLocation: { artifactLocation: { uri: 'container-images/acme/app/bin/sh' },
          region: { startLine: 1, startColumn: 1, endLine: 1, endColumn: 1 } } }],
        partialFingerprints: { primaryLocationLineHash: '0123456789abcdef0123456789abcdef:1' } }] }] });
  const uri = (u) => (run, res) => { res.locations[0].physicalLocation.artifactLocation.uri = u; };
  const rule = (run) => run.tool.driver.rules[0];
  const cases = {
    'good-one': () => {}, 'good-none': (run) => { run.results = []; }, 'good-escaped': uri('container-images/a/usr/bin/%5B'),
    'good-gap': (run) => {
      run.invocations[0].toolExecutionNotifications = [{ level: 'warning', message: { text: 'layer 3 was cut short' } }];
    },
    'bad-level': (run, res) => { res.level = 'critical'; }, 'bad-unknown-key': (run) => { run.nonsense = 1; },
    'bad-tag-uri': uri('nginx:latest'), 'bad-scheme': uri('docker://acme/app'), 'bad-absolute': uri('/bin/sh'),
    'bad-empty-uri': uri(''), 'bad-space': uri('a b'), 'bad-bracket': uri('usr/bin/['),
    'bad-digest-uri': uri(`container-images/a@sha256/${'ab'.repeat(32)}/sh`),
    'bad-no-location': (run, res) => { res.locations = []; },
    'bad-no-region': (run, res) => { delete res.locations[0].physicalLocation.region; },
    'bad-half-region': (run, res) => { res.locations[0].physicalLocation.region = { startLine: 1 }; },
    'bad-message-id': (run, res) => { res.message = { id: 'default' }; },
    'bad-fingerprint': (run, res) => { delete res.partialFingerprints; },
    'bad-number-score': (run) => { rule(run).properties['security-severity'] = 8.0; },
    'bad-no-help': (run) => { delete rule(run).help; },
    'bad-name-is-id': (run) => { rule(run).name = 'shell'; }, 'bad-rule-index': (run, res) => { res.ruleIndex = 7; },
    'bad-rule-id': (run, res) => { res.ruleId = 'nope'; }, 'bad-pass': (run, res) => { res.kind = 'pass'; },
    'bad-suppressed': (run, res) => { res.suppressions = [{ kind: 'external', status: 'accepted' }]; },
    'bad-hidden-failure': (run) => {
      run.invocations[0].toolExecutionNotifications = [{ level: 'error', message: { text: 'layer 3 could not be read' } }];
    },
    'bad-failed-run': (run) => { run.invocations[0].executionSuccessful = false; },
    'bad-twin-runs': (run, res, log) => { log.runs.push(run); }, 'bad-no-schema': (run, res, log) => { delete log.$schema; },
    'bad-twin-results': (run, res) => { run.results.push(res); }, 'bad-no-runs': (run, res, log) => { log.runs = []; },
    'bad-many-tags': (run) => { rule(run).properties.tags = Array.from({ length: 21 }, (_, n) => `t${n}`); },
  };
  for (const [name, spoil] of Object.entries(cases)) {
    const log = base();
    spoil(log.runs[0], log.runs[0].results[0], log);
    fs.writeFileSync(path.join(dir, `${name}.sarif`), JSON.stringify(log));
  }
  fs.writeFileSync(path.join(dir, 'bad-not-json.sarif'), 'hello');
  fs.writeFileSync(path.join(dir, 'bad-empty.sarif'), '');
}

const args = process.argv.slice(2);
if (args[0] === '--samples') {
  samples(args[1]);
} else {
  const plain = args[0] === '--plain' && Boolean(args.shift());
  let Validator, schema;
  try {
    ({ Validator } = require(require.resolve('jsonschema', { paths: [process.env.SARIF_TOOLS || process.cwd()] })));
    schema = JSON.parse(fs.readFileSync(args.shift()));
  } catch (e) { console.error(`tests/sarif/rules.js: ${e.message.split('\n')[0]}`); process.exit(2); }
  let bad = 0;
  for (const file of args) {
    const bytes = fs.readFileSync(file);
    let errors;
    try {
      const log = JSON.parse(bytes);
      errors = new Validator().validate(log, schema).errors.map((e) => `schema ${e.stack}`);
      try { errors.push(...github(log, bytes, plain)); } catch (e) { errors.push(`shape: ${e.message}`); }
    } catch (e) { errors = [`not JSON: ${e.message}`]; }
    for (const e of errors) console.log(`${file}: ${e.slice(0, 200)}`);
    bad += errors.length;
  }
  process.exit(bad ? 1 : 0);
}
