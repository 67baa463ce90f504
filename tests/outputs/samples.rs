//! Sample reports, put together by hand: what a scan could have found.

use std::collections::BTreeMap;

use scant::{
    failure::{Code, Failure},
    finding::{
        Alias, AliasKind, Evidence, Finding, Ground, ImageGap, LayerOrigin, Location, RULES, Reach, Rule,
        State, Tier, fingerprint,
    },
    image::{Digest, History, Image, ImageConfig, Layer, Platform},
    path::RootPath,
    policy::{Grade, Level, Policy, Rubric, Waiver},
    report::{
        Bytes, CapabilityView, CombinationView, DockerfileView, ImageReport, Outcome, Report,
        ReportedFinding, UnusedWaiver, UserView, Verdict,
    },
    score::{AppliedCap, Score, Worth},
};

pub(crate) fn rule(id: &str) -> &'static Rule {
    Rule::get(id).expect("a rule of the table")
}

pub(crate) fn policy() -> Policy {
    Policy {
        name: "distroless".into(),
        digest: format!("sha256:{}", "5c".repeat(32)),
        pass_mark: 90.0,
        levels: RULES.iter().map(|rule| (rule.id, Level::Deny)).collect(),
        at_most: BTreeMap::new(),
        rubric: Rubric {
            version: 1,
            grades: vec![(Grade::APlus, 100.0), (Grade::F, 0.0)],
            weights: BTreeMap::new(),
            caps: Vec::new(),
        },
        waivers: Vec::new(),
    }
}

pub(crate) fn report(images: Vec<ImageReport>, exit_code: u8) -> Report {
    Report {
        policy: policy(),
        images,
        unused_waivers: Vec::new(),
        exit_code,
    }
}

pub(crate) fn digest(byte: u8) -> Digest {
    format!("sha256:{}", format!("{byte:02x}").repeat(32))
        .parse()
        .expect("a digest")
}

fn layer(index: u8, size: u64, instruction: Option<&str>) -> LayerOrigin {
    LayerOrigin {
        layer: Layer {
            digest: Some(digest(0x10 + index)),
            diff_id: Some(digest(0x20 + index)),
            size: Some(size),
            media_type: Some("application/vnd.oci.image.layer.v1.tar+gzip".into()),
            blob: format!("blob-{index}"),
        },
        instruction: instruction.map(str::to_owned),
        ground: instruction.map_or(Ground::None, |_| Ground::ByPosition),
        uncompressed: size * 3,
        files: size / 4_000,
    }
}

/// A verdict about `acme/app:1.2` for linux/amd64 with these layers and findings.
pub(crate) fn verdict(name: &str, layers: Vec<LayerOrigin>, findings: Vec<ReportedFinding>) -> Verdict {
    let config = ImageConfig {
        user: "65532:65532".into(),
        entrypoint: vec!["/app".into()],
        env: vec!["PATH=/usr/bin:/bin".into(), "TOKEN=never-shown".into()],
        exposed_ports: vec!["8080/tcp".into()],
        labels: [("org.opencontainers.image.title".to_owned(), "app".to_owned())].into(),
        diff_ids: layers
            .iter()
            .filter_map(|origin| origin.layer.diff_id.clone())
            .collect(),
        history: vec![History::default(); layers.len()],
        ..ImageConfig::default()
    };
    let sum = |of: fn(&LayerOrigin) -> u64| layers.iter().map(of).sum();
    Verdict {
        image: Image {
            target: format!("ghcr.io/{name}:1.2"),
            reference: Some(format!("ghcr.io/{name}:1.2")),
            name: name.to_owned(),
            digest: Some(digest(0xab)),
            index_digest: Some(digest(0xcd)),
            platform: Some(Platform::new("linux", "amd64", None)),
            config: Some(config),
            layers: layers.iter().map(|origin| origin.layer.clone()).collect(),
            other_platforms: Vec::new(),
            notes: Vec::new(),
        },
        user: Some(UserView {
            configured: "65532:65532".into(),
            uid: Some(65_532),
            gid: Some(65_532),
            groups: Vec::new(),
            root: Some(false),
            starts: true,
            run_as_non_root: true,
            why: "the configuration names uid and gid".into(),
        }),
        bytes: Bytes {
            compressed: sum(|origin| origin.layer.size.unwrap_or(0)),
            uncompressed: sum(|origin| origin.uncompressed),
            present: sum(|origin| origin.uncompressed),
            removed: 0,
        },
        layers,
        dockerfile: None,
        capabilities: Vec::new(),
        combinations: Vec::new(),
        findings,
        gaps: Vec::new(),
        notes: Vec::new(),
        score: Some(Score {
            points: 100.0,
            grade: Grade::APlus,
            caps: Vec::new(),
            costs: Vec::new(),
            worth: Vec::new(),
        }),
        compliant: Some(true),
    }
}

pub(crate) fn image(verdict: Verdict) -> ImageReport {
    ImageReport {
        target: verdict.image.target.clone(),
        outcome: Outcome::Judged(Box::new(verdict)),
    }
}

/// A judged finding of `acme/app`.
pub(crate) fn judged(finding: Finding, level: Level, points: f64) -> ReportedFinding {
    let fingerprint = fingerprint(
        finding.rule.id,
        "acme/app",
        "linux/amd64",
        finding.path.as_ref(),
        finding.subject.as_deref(),
    );
    ReportedFinding {
        finding,
        level,
        points,
        location: None,
        fingerprint,
        waiver: None,
    }
}

/// A program found at `path` in layer `layer`.
pub(crate) fn tool(id: &str, name: &str, version: Option<&str>, path: &str, layer: usize) -> Finding {
    let mut finding = Finding::new(
        rule(id),
        format!("{name} at {path} is a {}", id.replace('-', " ")),
        format!("build in one stage and copy the program into a distroless base, without {name}"),
    );
    finding.path = Some(RootPath::from(path));
    finding.layer = Some(layer);
    finding.identity = Some(Evidence {
        name: name.to_owned(),
        family: id.to_owned(),
        version: version.map(str::to_owned),
        confidence: "certain",
        evidence: format!("holds the text that only {name} holds"),
        latent: false,
    });
    finding.capabilities = vec!["exec.shell".into()];
    finding
}

/// No finding at all.
pub(crate) fn clean() -> Report {
    let base = layer(0, 840_000, Some("COPY / / # distroless static"));
    let app = layer(1, 5_400_000, Some("COPY app /app"));
    report(vec![image(verdict("acme/app", vec![base, app], Vec::new()))], 0)
}

/// An application on a Debian base, as root.
pub(crate) fn bad_verdict() -> Verdict {
    let layers = vec![
        layer(0, 29_000_000, Some("ADD rootfs.tar.xz / # buildkit")),
        layer(
            1,
            48_000_000,
            Some("RUN /bin/sh -c apt-get update && apt-get install -y curl python3 # buildkit"),
        ),
        layer(2, 6_000_000, Some("COPY app /usr/local/bin/app # buildkit")),
    ];
    let mut findings = Vec::new();
    let mut bash = tool("shell", "bash", Some("5.2.15"), "/usr/bin/bash", 0);
    bash.aliases = vec![
        Alias {
            path: RootPath::from("/bin/bash"),
            kind: AliasKind::Symlink,
        },
        Alias {
            path: RootPath::from("/usr/bin/rbash"),
            kind: AliasKind::Symlink,
        },
    ];
    bash.reach = Some(Reach::Needed {
        tier: Tier::Start,
        why: "run by /usr/local/bin/app".into(),
    });
    findings.push(judged(bash, Level::Deny, 30.0));
    let mut dash = tool("shell", "dash", Some("0.5.12"), "/usr/bin/dash", 0);
    dash.reach = Some(Reach::NotNeeded);
    findings.push(judged(dash, Level::Deny, 5.0));
    for name in ["apt", "apt-get", "dpkg"] {
        let version = (name != "dpkg").then_some("2.6.1");
        let path = format!("/usr/bin/{name}");
        findings.push(judged(
            tool("package-manager", name, version, &path, 0),
            Level::Deny,
            7.5,
        ));
    }
    findings.push(judged(
        tool("network-tool", "curl", Some("7.88.1"), "/usr/bin/curl", 1),
        Level::Deny,
        10.0,
    ));
    let mut root = Finding::new(
        rule("root-user"),
        "the container runs as root, since the image names no user",
        "add `USER 65532:65532` to the last stage",
    );
    root.subject = Some("User".into());
    findings.push(judged(root, Level::Deny, 20.0));
    for (path, points) in [
        ("/usr/bin/su", 5.0),
        ("/usr/bin/mount", 2.5),
        ("/usr/bin/passwd", 2.5),
    ] {
        let mut setuid = Finding::new(
            rule("setuid-file"),
            format!("{path} runs with the rights of root (mode 4755)"),
            "remove it, or its setuid bit",
        );
        setuid.path = Some(RootPath::from(path));
        setuid.layer = Some(0);
        findings.push(judged(setuid, Level::Deny, points));
    }
    findings.push(judged(
        tool("interpreter", "python3", Some("3.11.2"), "/usr/bin/python3.11", 1),
        Level::Warn,
        5.0,
    ));
    for n in 0..40 {
        let name = format!("tool{n:02}");
        let path = format!("/usr/bin/{name}");
        findings.push(judged(
            tool("os-utility", &name, None, &path, 0),
            Level::Warn,
            0.3,
        ));
    }
    let mut database = Finding::new(
        rule("package-database"),
        "dpkg's database is at /var/lib/dpkg/status",
        "copy the program into a distroless base",
    );
    database.path = Some(RootPath::from("/var/lib/dpkg/status"));
    database.layer = Some(0);
    findings.push(judged(database, Level::Allow, 0.0));
    let mut verdict = verdict("acme/app", layers, findings);
    verdict.user = Some(UserView {
        uid: Some(0),
        gid: Some(0),
        root: Some(true),
        starts: true,
        why: "no user is configured, so every runtime starts it as root".into(),
        ..UserView::default()
    });
    if let Some(config) = &mut verdict.image.config {
        config.user = String::new();
        config.entrypoint = Vec::new();
        config.cmd = vec!["/bin/sh".into(), "-c".into(), "exec app".into()];
    }
    verdict.capabilities = vec![CapabilityView {
        id: "exec.shell".into(),
        group: "execute".into(),
        meaning: "run commands".into(),
        attack: vec!["T1059.004".into()],
        by: RootPath::from("/usr/bin/bash"),
    }];
    verdict.combinations = vec![CombinationView {
        id: "reverse-shell".into(),
        meaning: "a shell joined to a connection".into(),
        attack: vec!["T1059".into(), "T1095".into()],
        by: vec![RootPath::from("/usr/bin/bash"), RootPath::from("/usr/bin/curl")],
    }];
    verdict.notes = vec!["layer 1 has 512 zero bytes behind its end".into()];
    verdict.image.other_platforms = vec![Platform::new("linux", "arm64", None)];
    let costs = verdict.findings.iter().map(|one| one.points).collect();
    let worth = |id, points, grade| Worth {
        rule: rule(id),
        points,
        grade,
    };
    verdict.score = Some(Score {
        points: 12.5,
        grade: Grade::F,
        caps: vec![
            AppliedCap {
                grade: Grade::D,
                rule: rule("shell"),
                why: "a shell defeats the purpose.".into(),
            },
            AppliedCap {
                grade: Grade::B,
                rule: rule("root-user"),
                why: "root needs no exploit".into(),
            },
        ],
        costs,
        worth: vec![
            worth("shell", 35.0, Grade::E),
            worth("package-manager", 22.5, Grade::F),
            worth("root-user", 20.0, Grade::F),
            worth("network-tool", 10.0, Grade::F),
            worth("setuid-file", 10.0, Grade::F),
        ],
    });
    verdict.compliant = Some(false);
    verdict
}

pub(crate) fn bad() -> Report {
    report(vec![image(bad_verdict())], 1)
}

/// One finding accepted, one waiver without use, one out of date.
pub(crate) fn waived() -> Report {
    let layers = vec![layer(0, 29_000_000, None)];
    let waiver = Waiver {
        rule: rule("interpreter"),
        paths: vec!["/usr/bin/python3*".into()],
        identity: None,
        images: Vec::new(),
        reason: "the application is written in Python".into(),
        owner: Some("team-app".into()),
        expires: Some(jiff::civil::date(2027, 1, 31)),
    };
    let python = tool("interpreter", "python3", Some("3.11.2"), "/usr/bin/python3.11", 0);
    let mut python = judged(python, Level::Deny, 0.0);
    python.waiver = Some(waiver.clone());
    let mut residue = tool("residue", "bash", None, "/bin/bash", 0);
    residue.state = State::Removed;
    let findings = vec![python, judged(residue, Level::Warn, 2.0)];
    let mut verdict = verdict("acme/app", layers, findings);
    if let Some(score) = &mut verdict.score {
        score.points = 98.0;
        score.grade = Grade::A;
    }
    let mut report = report(vec![image(verdict)], 0);
    report.unused_waivers = vec![
        UnusedWaiver {
            waiver: Waiver {
                rule: rule("shell"),
                paths: vec!["/busybox/*".into()],
                expires: None,
                ..waiver.clone()
            },
            expired: false,
        },
        UnusedWaiver {
            waiver: Waiver {
                rule: rule("setuid-file"),
                expires: Some(jiff::civil::date(2025, 6, 30)),
                owner: None,
                ..waiver
            },
            expired: true,
        },
    ];
    report
}

/// A layer that could not be read to its end.
pub(crate) fn incomplete_verdict() -> Verdict {
    let shell = judged(
        tool("shell", "bash", Some("5.2.15"), "/bin/bash", 0),
        Level::Deny,
        30.0,
    );
    let mut verdict = verdict(
        "acme/app",
        vec![layer(0, 29_000_000, Some("ADD rootfs.tar /"))],
        vec![shell],
    );
    verdict.score = None;
    verdict.compliant = None;
    verdict.gaps = vec![
        ImageGap {
            place: "layer 0".into(),
            why: "has more than 1,000,000 members".into(),
            could_hide: RULES.iter().collect(),
        },
        ImageGap {
            place: "layer 0, entry /usr/share/doc/x.gz".into(),
            why: "uses an unknown compression".into(),
            could_hide: Vec::new(),
        },
    ];
    verdict
}

pub(crate) fn incomplete() -> Report {
    report(vec![image(incomplete_verdict())], 3)
}

pub(crate) fn failure() -> ImageReport {
    ImageReport {
        target: "ghcr.io/acme/gone:1".into(),
        outcome: Outcome::Failed(
            Failure::new(
                Code::NotFound,
                "ghcr.io/acme/gone:1: the registry has no such image",
            )
            .advise("check the name, or log in if the repository is private"),
        ),
    }
}

pub(crate) fn failed() -> Report {
    report(vec![failure()], 3)
}

/// A clean image for two platforms, a bad one, one incomplete, one that failed, and something that is no image.
pub(crate) fn several() -> Report {
    let clean = |arch: &str| {
        let mut verdict = verdict(
            "acme/api",
            vec![layer(0, 2_000_000, Some("COPY api /api"))],
            Vec::new(),
        );
        verdict.image.platform = Some(Platform::new("linux", arch, None));
        verdict
    };
    let mut arm = clean("arm64");
    let dash = tool("shell", "dash", None, "/bin/sh", 0);
    let mut dash = judged(dash, Level::Deny, 30.0);
    dash.fingerprint = fingerprint(
        "shell",
        "acme/api",
        "linux/arm64",
        dash.finding.path.as_ref(),
        None,
    );
    arm.findings = vec![dash];
    arm.compliant = Some(false);
    if let Some(score) = &mut arm.score {
        score.points = 70.0;
        score.grade = Grade::D;
        score.worth = vec![Worth {
            rule: rule("shell"),
            points: 30.0,
            grade: Grade::APlus,
        }];
    }
    let chart = ImageReport {
        target: "ghcr.io/acme/chart:1".into(),
        outcome: Outcome::NotApplicable(Failure::new(Code::NotAnImage, "a Helm chart, not an image")),
    };
    let images = vec![
        image(clean("amd64")),
        image(arm),
        image(incomplete_verdict()),
        failure(),
        chart,
    ];
    report(images, 3)
}

/// Names that attack the reader of a report.
pub(crate) fn hostile() -> Report {
    let names: [&[u8]; 9] = [
        b"a file",
        b"100%",
        b"bin/[",
        b"c:/d#e?f",
        b"esc\x1b]0;owned\x07",
        b"latin-\xe9\xff",
        b"line\n::error::owned",
        "rlo-\u{202e}gpj.sh".as_bytes(),
        b"<script>alert(1)</script>[x](http://evil)",
    ];
    let mut findings: Vec<ReportedFinding> = names
        .iter()
        .map(|name| {
            let path = RootPath::clean(name);
            let mut finding = Finding::new(
                rule("os-utility"),
                format!("{path} is an operating-system utility"),
                "take it out",
            );
            finding.path = Some(path.clone());
            finding.layer = Some(0);
            finding.aliases = vec![Alias {
                path: path.join(b"\xff-link"),
                kind: AliasKind::Hardlink,
            }];
            judged(finding, Level::Warn, 0.5)
        })
        .collect();
    let mut odd = Finding::new(rule("os-utility"), r"odd \u{202e}", "take it out");
    odd.subject = Some("::error::owned##[error]owned".into());
    findings.insert(1, judged(odd, Level::Warn, 0.5));
    let instruction = "RUN echo '\u{1b}[2J' \u{202e}\n::warning::owned";
    let mut verdict = verdict(
        "acme/../../app:x y",
        vec![layer(0, 900, Some(instruction))],
        findings,
    );
    verdict.image.reference = None;
    verdict.image.target = "./odd\u{1b}[31m name.tar".into();
    if let Some(score) = &mut verdict.score {
        score.points = 95.5;
        score.grade = Grade::A;
    }
    report(vec![image(verdict)], 0)
}

/// The bad image with the Dockerfile that it was built from; one finding has no line.
pub(crate) fn placed() -> Report {
    let mut verdict = bad_verdict();
    let at = |line: usize, end_line: usize, focus: usize| Location {
        file: "build/Docker file".into(),
        line,
        end_line,
        focus,
        columns: 40,
    };
    for origin in &mut verdict.layers {
        origin.ground = Ground::Matched;
    }
    verdict.findings.truncate(8);
    for one in verdict.findings.iter_mut().skip(1) {
        one.location = Some(match one.finding.layer {
            Some(1) => at(4, 6, 5),
            Some(2) => at(7, 7, 7),
            _ => at(3, 3, 3),
        });
    }
    verdict.dockerfile = Some(DockerfileView {
        matched: true,
        from: at(3, 3, 3),
    });
    report(vec![image(verdict)], 1)
}

/// Every sample with its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("clean", clean()),
        ("bad", bad()),
        ("waived", waived()),
        ("incomplete", incomplete()),
        ("failed", failed()),
        ("several", several()),
        ("hostile", hostile()),
        ("placed", placed()),
    ]
}

/// 6,000 findings in one image, more than code scanning keeps.
pub(crate) fn flood() -> Report {
    let mut verdict = bad_verdict();
    for n in 0..6_000 {
        let path = format!("/opt/dir{}/tool{n}", n % 300);
        verdict.findings.push(judged(
            tool("os-utility", "tool", None, &path, 0),
            Level::Warn,
            0.0,
        ));
    }
    report(vec![image(verdict)], 1)
}

/// `n` images of different names.
pub(crate) fn fleet(n: usize) -> Report {
    let images = (0..n).map(|at| {
        let mut verdict = bad_verdict();
        verdict.image.name = format!("acme/app{at}");
        image(verdict)
    });
    report(images.collect(), 1)
}
