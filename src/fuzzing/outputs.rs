//! Reports about an image whose every text is the image's own choice.

use std::sync::LazyLock;

use serde_json::Value;

use super::{assert_shown, lossy, parts};
use crate::{
    failure::{Code, Failure},
    finding::{Alias, AliasKind, Evidence, Finding, Ground, ImageGap, LayerOrigin, RULES, fingerprint},
    image::{Image, ImageConfig, Layer, Platform},
    output::{Format, SarifProfile, Style, render},
    path::RootPath,
    policy::{self, Judged, Level, Policy},
    report::{
        Bytes, CapabilityView, CombinationView, ImageReport, Outcome, Report, ReportedFinding, UserView,
        Verdict,
    },
    score::score,
    text,
};

/// Every text comes back from the formats for programs, and none commands a terminal.
pub fn outputs(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let texts: [&[u8]; 6] = parts(data, 0x1e);
    let report = report(*choice, texts);
    let written = |format, style: &Style| {
        let mut out = Vec::new();
        render(format, &report, style, &mut out).unwrap_or_else(|error| panic!("{error}"));
        out
    };
    let style = Style {
        width: if choice & 8 == 0 { 40 } else { 100 },
        verbose: choice & 16 == 0,
        unicode: choice & 1 == 0,
        sarif: if choice & 8 == 0 {
            SarifProfile::Plain
        } else {
            SarifProfile::Github
        },
        ..Style::default()
    };
    // SARIF has the help of every rule in it, which takes a hundred times as long.
    match choice >> 5 {
        0..=3 => {
            let shown = written(Format::Text, &style);
            for line in String::from_utf8_lossy(&shown).lines() {
                assert_shown(line);
            }
        }
        4..=6 => json(&parsed(&written(Format::Json, &style)), texts),
        _ => {
            let log = parsed(&written(Format::Sarif, &style));
            // Code scanning gets nothing of an image that was not read to the end.
            if style.sarif == SarifProfile::Plain || choice & 4 == 0 {
                sarif(&log, texts);
            }
        }
    }
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn json(report: &Value, [path, subject, target, name, instruction, _]: [&[u8]; 6]) {
    let path = RootPath::clean(path);
    let image = &report["images"][0];
    assert_eq!(image["target"], lossy(target));
    assert_eq!(image["reference"], lossy(name));
    let finding = &image["findings"][0];
    assert_eq!(finding["path"], path.to_lossy());
    if !path.is_utf8() {
        let hex = text::hex(b"/") + &text::hex(path.as_bytes());
        assert_eq!(finding["path_hex"], hex);
    }
    assert_eq!(finding["subject"], lossy(subject));
    assert_eq!(finding["instruction"], lossy(instruction));
}

fn sarif(log: &Value, [path, ..]: [&[u8]; 6]) {
    let path = RootPath::clean(path);
    let results = log["runs"][0]["results"].as_array();
    let finding = results.and_then(|all| all.iter().find(|result| result["ruleId"] == RULES[0].id));
    let finding = finding.unwrap_or_else(|| panic!("no result for the finding"));
    let uri = &finding["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    let uri = uri.as_str().unwrap_or_default();
    assert!(uri.starts_with("container-images/"), "{uri}");
    let relative = uri.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let plain = uri
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}[]#?:".contains(&byte));
    assert!(relative && plain, "{uri}");
    let decoded = decoded(uri);
    assert!(
        path.is_root() || decoded.ends_with(&[b"/", path.as_bytes()].concat()),
        "{uri}"
    );
    assert_shown(finding["message"]["text"].as_str().unwrap_or_default());
}

/// Undoes percent-encoding.
fn decoded(uri: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = uri.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

fn report(choice: u8, [path, subject, target, name, instruction, other]: [&[u8]; 6]) -> Report {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        policy::load("distroless", &[], &|_| Err(String::new())).unwrap_or_else(|why| panic!("{why}"))
    });
    let mut finding = Finding::new(
        &RULES[0],
        format!("`{}` is a finding", text::escape(subject)),
        "take it out",
    );
    finding.path = Some(RootPath::clean(path));
    finding.subject = Some(lossy(subject));
    finding.layer = Some(0);
    finding.aliases = vec![Alias {
        path: RootPath::clean(other),
        kind: AliasKind::Symlink,
    }];
    finding.identity = Some(Evidence {
        name: "busybox".to_owned(),
        family: "multi.busybox".to_owned(),
        version: Some(text::escape(other)),
        confidence: "certain",
        evidence: text::escape(other),
        latent: false,
    });
    let judged = Judged {
        finding,
        level: Level::Deny,
        waiver: None,
    };
    let score = score(std::slice::from_ref(&judged), &POLICY.rubric);
    let finding = judged.finding;
    let image_name = lossy(name);
    let reported = ReportedFinding {
        fingerprint: fingerprint(
            finding.rule.id,
            &image_name,
            "linux/amd64",
            finding.path.as_ref(),
            finding.subject.as_deref(),
        ),
        finding,
        level: Level::Deny,
        points: 12.5,
        location: None,
        waiver: None,
    };
    let layer = Layer {
        digest: None,
        diff_id: None,
        size: Some(u64::from(choice)),
        media_type: Some(lossy(other)),
        blob: lossy(other),
    };
    let platform = Platform::new("linux", &lossy(other), (choice & 2 == 0).then_some("v9"));
    let verdict = Verdict {
        image: Image {
            target: lossy(target),
            reference: Some(image_name.clone()),
            name: image_name,
            digest: None,
            index_digest: None,
            platform: Some(platform.clone()),
            config: Some(ImageConfig {
                user: lossy(other),
                entrypoint: vec![lossy(other), lossy(subject)],
                labels: [(lossy(subject), lossy(other))].into(),
                env: vec![lossy(subject)],
                exposed_ports: vec![lossy(other)],
                volumes: vec![lossy(subject)],
                ..ImageConfig::default()
            }),
            layers: vec![layer.clone()],
            other_platforms: vec![platform],
            notes: vec![text::escape(other)],
        },
        user: Some(UserView {
            configured: lossy(other),
            why: text::escape(other),
            ..UserView::default()
        }),
        layers: vec![LayerOrigin {
            layer,
            instruction: Some(lossy(instruction)),
            ground: Ground::ByPosition,
            uncompressed: 7,
            files: 1,
        }],
        dockerfile: None,
        bytes: Bytes::default(),
        capabilities: vec![CapabilityView {
            id: "exec.shell".to_owned(),
            group: "execute".to_owned(),
            meaning: "start commands".to_owned(),
            attack: Vec::new(),
            by: RootPath::clean(path),
        }],
        combinations: vec![CombinationView {
            id: "reverse-shell".to_owned(),
            meaning: text::escape(other),
            attack: Vec::new(),
            by: vec![RootPath::clean(path)],
        }],
        findings: vec![reported],
        gaps: vec![ImageGap {
            place: format!("layer 0, entry {}", RootPath::clean(path)),
            why: text::escape(other),
            could_hide: vec![&RULES[1]],
        }],
        notes: Vec::new(),
        score: (choice & 4 == 0).then_some(score),
        compliant: (choice & 4 == 0).then_some(false),
    };
    let failed = Failure::new(Code::Corrupt, text::escape(other)).advise("build it again");
    Report {
        policy: POLICY.clone(),
        images: vec![
            ImageReport {
                target: lossy(target),
                outcome: Outcome::Judged(Box::new(verdict)),
            },
            ImageReport {
                target: lossy(other),
                outcome: Outcome::Failed(failed),
            },
        ],
        unused_waivers: Vec::new(),
        exit_code: 3,
    }
}
