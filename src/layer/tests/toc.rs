//! Layers of eStargz form: what their table of contents says must be what their archive says.

use std::io::Write;

use super::*;

/// One gzip member with an extra field.
fn with_extra(bytes: &[u8], extra: &[u8]) -> Vec<u8> {
    let builder = flate2::GzBuilder::new().extra(extra.to_vec());
    let mut encoder = builder.write(Vec::new(), flate2::Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The footer as the form's description has it: an empty member of 51 bytes.
fn footer(place: usize) -> Vec<u8> {
    let mut extra = b"SG\x16\0".to_vec();
    extra.extend_from_slice(format!("{place:016x}STARGZ").as_bytes());
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
    footer.extend_from_slice(&(extra.len() as u16).to_le_bytes());
    footer.extend_from_slice(&extra);
    footer.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    footer.extend_from_slice(&[0; 8]);
    assert_eq!(footer.len(), 51);
    footer
}

fn files() -> Tar {
    Tar::default()
        .member(Head::new(b'5', b"bin/", 0).with(100, b"0000755\0"), b"")
        .file("bin/app", b"program")
        .member(Head::new(b'1', b"bin/b", 0).link(b"bin/app"), b"")
        .member(Head::new(b'2', b"sh", 0).link(b"bin/app"), b"")
        .file(".wh.gone", b"")
        .file(".no.prefetch.landmark", b"\x0f")
}

/// Bytes of the headers before the content of `bin/app`, and of those before that of the landmark.
const CONTENTS: [usize; 2] = [1024, 7 * 512];

const TABLE: &str = r#"{"version":1,"entries":[
 {"name":"bin/","type":"dir","mode":493},
 {"name":"bin/app","type":"reg","size":7,"mode":420,"offset":FIRST,"chunkSize":4},
 {"name":"bin/app","type":"chunk","offset":FIRST,"innerOffset":4,"chunkOffset":4},
 {"name":"bin/b","type":"hardlink","linkName":"bin/app","mode":420},
 {"name":"sh","type":"symlink","linkName":"bin/app","mode":420},
 {"name":".wh.gone","type":"reg","mode":420},
 {"name":".no.prefetch.landmark","type":"reg","size":1,"mode":420,"offset":SECOND}]}"#;

/// A blob of these files, each content in a gzip member of its own, and the table with the places of these.
fn contents(files: &Tar, table: &str) -> (Vec<u8>, String) {
    let [first, second] = CONTENTS;
    let mut blob = gzip(&files.0[..first]);
    let mut table = table.replace("FIRST", &blob.len().to_string());
    blob.extend(gzip(&files.0[first..second]));
    table = table.replace("SECOND", &blob.len().to_string());
    blob.extend(gzip(&files.0[second..]));
    (blob, table)
}

/// A layer of these files with this table, whose footer is off by `off`.
fn layer(files: &Tar, table: &str, off: usize) -> Vec<u8> {
    let (mut blob, table) = contents(files, table);
    let place = blob.len();
    blob.extend(gzip(
        &Tar::default().file("stargz.index.json", table.as_bytes()).end(),
    ));
    blob.extend(footer(place + off));
    blob
}

fn gaps(blob: &[u8]) -> Vec<String> {
    let facts = facts(blob);
    assert!(
        facts.gaps.iter().all(|gap| gap.hides == Hides::Anything),
        "{:?}",
        facts.gaps
    );
    facts.gaps.into_iter().map(|gap| gap.why).collect()
}

#[test]
fn a_table_that_agrees_is_nothing_to_tell() {
    assert_eq!(gaps(&layer(&files(), TABLE, 0)), [""; 0]);
    let facts = facts(&layer(&files(), TABLE, 0));
    assert_eq!(facts.notes, [""; 0]);
    assert_eq!(facts.entries.len(), 7, "an ordinary runtime unpacks them all");
}

#[test]
fn every_difference_is_a_gap() {
    let capability = r#","xattrs":{"security.capability":"AQAAAgAEAAAAAAAAAAAAAAAAAAA="}"#;
    let setuid = TABLE.replace(r#""size":7,"mode":420"#, r#""size":7,"mode":2541"#);
    for (table, path) in [
        (TABLE.replace(r#""size":7"#, r#""size":8"#), "/bin/app"),
        (setuid, "/bin/app"),
        (TABLE.replace(r#""size":7"#, r#""size":7,"uid":1"#), "/bin/app"),
        (
            TABLE.replace(r#""size":7"#, &format!(r#""size":7{capability}"#)),
            "/bin/app",
        ),
        (
            TABLE.replace(
                r#""type":"symlink","linkName":"bin/app""#,
                r#""type":"symlink","linkName":"bin/sh""#,
            ),
            "/sh",
        ),
        (
            TABLE.replace(r#""name":"sh","type":"symlink""#, r#""name":"sh","type":"reg""#),
            "/sh",
        ),
        (TABLE.replace(r#""name":"sh""#, r#""name":"bash""#), "/bash, /sh"),
        (
            TABLE.replace(
                r#""type":"hardlink","linkName":"bin/app""#,
                r#""type":"hardlink","linkName":"sh""#,
            ),
            "/bin/b",
        ),
        (TABLE.replace(".wh.gone", ".wh.other"), "/.wh.gone, /.wh.other"),
        // Contents and pieces of them that are elsewhere: in another member, behind its beginning, nowhere.
        (
            TABLE.replace("FIRST,\"chunkSize", "SECOND,\"chunkSize"),
            "/bin/app",
        ),
        (
            TABLE.replace("FIRST,\"innerOffset", "SECOND,\"innerOffset"),
            "/bin/app",
        ),
        (
            TABLE.replace("\"innerOffset\":4", "\"innerOffset\":5"),
            "/bin/app",
        ),
        (TABLE.replace("\"innerOffset\":4,", ""), "/bin/app"),
        (
            TABLE.replace("\"chunkOffset\":4", "\"chunkOffset\":3"),
            "/bin/app",
        ),
        (
            TABLE.replace(
                "{\"name\":\"bin/app\",\"type\":\"chunk\",\"offset\":FIRST",
                "{\"name\":\"x\",\"type\":\"chunk\",\"offset\":7",
            ),
            "/bin/app",
        ),
        (TABLE.replace("SECOND", "SECOND1"), "/.no.prefetch.landmark"),
    ] {
        assert_ne!(table, TABLE);
        let gaps = gaps(&layer(&files(), &table, 0));
        assert!(
            gaps.len() == 1 && gaps[0].contains(&format!("such as {path}:")),
            "{path}: {gaps:?}"
        );
    }
    let more = files().file("bin/sh", b"hidden from one of them");
    assert!(gaps(&layer(&more, TABLE, 0))[0].contains("at 1 paths, such as /bin/sh:"));
}

#[test]
fn a_table_that_cannot_be_compared_is_a_gap() {
    for table in [
        "",
        "{}",
        "[]",
        r#"{"version":2,"entries":[]}"#,
        r#"{"version":1,"version":1,"entries":[]}"#,
    ] {
        let gaps = gaps(&layer(&files(), table, 0));
        assert!(
            gaps.len() == 1 && gaps[0].contains("cannot be read"),
            "{table}: {gaps:?}"
        );
    }
    assert!(gaps(&layer(&files(), TABLE, 1))[0].contains("not where the layer says"));
    // One that is larger than is compared.
    let limits = Limits {
        table: 100,
        ..Limits::default()
    };
    let facts = read_with(&layer(&files(), TABLE, 0), &[], &limits).unwrap();
    assert!(facts.gaps[0].why.contains("cannot be read"), "{:?}", facts.gaps);
}

#[test]
fn the_table_is_the_one_that_a_runtime_finds() {
    let table = |table: &str| Tar::default().file("stargz.index.json", table.as_bytes());
    let lie = TABLE.replace("\"name\":\"sh\"", "\"name\":\"bash\"");
    let (blob, honest) = contents(&files(), TABLE);
    let place = blob.len();
    let tables = [
        // Two in one gzip member: the first is found.
        table(&lie).raw(&table(&honest).0).end(),
        // One that a file's content begins with.
        Tar::default().raw(&table(&lie).0).raw(&table(&honest).0).end(),
        // One behind the end of the archive, where others see no member.
        Tar::default().zeros(2).raw(&table(&lie).0).end(),
        // None.
        Tar::default().file("other", b"").end(),
    ];
    for (at, tables) in tables.into_iter().enumerate() {
        let (mut blob, _) = contents(&files(), TABLE);
        if at == 1 {
            let inside = Head::new(b'0', b"data", table(&lie).0.len() as u64).block(false);
            blob = contents(&files().raw(&inside), TABLE).0;
        }
        let place = blob.len();
        blob.extend(gzip(&tables));
        blob.extend(footer(place));
        let gaps = gaps(&blob);
        assert!(
            gaps.len() == 1 && gaps[0].contains("not where the layer says"),
            "{at}: {gaps:?}"
        );
    }
    // An older one elsewhere in the archive is a file as any.
    let old = Tar::default().file("stargz.index.json", b"old");
    let (mut blob, honest) = contents(&files().raw(&old.0), TABLE);
    let place_of_both = blob.len();
    assert!(place_of_both > place);
    blob.extend(gzip(&table(&honest).end()));
    blob.extend(footer(place_of_both));
    assert_eq!(gaps(&blob), [""; 0]);
}

#[test]
fn the_footer_of_old_is_one_too() {
    let lie = TABLE.replace("\"name\":\"sh\"", "\"name\":\"bash\"");
    for (table, count) in [(TABLE, 0), (&lie, 1)] {
        let mut blob = layer(&files(), table, 0);
        let place = blob.len() - 51;
        // Its extra field has no subfields: 47 bytes.
        let mut old = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 22, 0];
        old.extend_from_slice(&blob[place + 16..]);
        assert_eq!(old.len(), 47);
        blob.truncate(place);
        blob.extend(old);
        assert_eq!(gaps(&blob).len(), count);
    }
}

#[test]
fn files_with_holes_are_not_compared_and_that_is_a_gap() {
    let holes = Tar::default().pax(&[
        ("GNU.sparse.numblocks", b"1"),
        ("GNU.sparse.map", b"0,7"),
        ("GNU.sparse.size", b"7"),
    ]);
    let tar = holes.file("app", b"program");
    let mut blob = gzip(&tar.0[..1536]);
    let table = format!(
        r#"{{"version":1,"entries":[{{"name":"app","type":"reg","size":7,"mode":420,"offset":{}}}]}}"#,
        blob.len()
    );
    blob.extend(gzip(&tar.0[1536..]));
    let place = blob.len();
    blob.extend(gzip(
        &Tar::default().file("stargz.index.json", table.as_bytes()).end(),
    ));
    blob.extend(footer(place));
    assert!(gaps(&blob)[0].contains("/app"));
}

#[test]
fn the_table_of_the_other_form_is_named() {
    let footer = [&[1; 56][..], b"GnUlInUx"].concat();
    let blob = [
        zstd_frame(&files().end()),
        skippable(b"the table"),
        skippable(&footer),
    ]
    .concat();
    let facts = facts(&blob);
    assert_eq!((facts.entries.len(), facts.gaps.len()), (6, 0));
    assert!(facts.notes[0].contains("zstd:chunked"), "{:?}", facts.notes);
    // One that lies in another blob.
    let mut blob = gzip(&files().end());
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 21, 0, b'S', b'G', 17, 0];
    footer.extend_from_slice(b"STARGZEXTERNALTOC\x01\0\0\xff\xff\0\0\0\0\0\0\0\0");
    blob.extend(footer);
    let facts = super::facts(&blob);
    assert_eq!((facts.entries.len(), facts.gaps.len()), (6, 0));
    assert!(facts.notes[0].contains("eStargz"), "{:?}", facts.notes);
}

#[test]
fn without_the_footer_it_is_a_file_as_any() {
    let plain = files().file("stargz.index.json", b"no table").end();
    assert_eq!(gaps(&gzip(&plain)), [""; 0]);
    assert_eq!(gaps(&with_extra(&plain, b"SG\x02\0ab")), [""; 0]);
}
