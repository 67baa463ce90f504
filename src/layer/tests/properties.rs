//! What holds for any archive: chunks do not matter, nothing panics, a second reader agrees.

use proptest::{prelude::*, sample::Index};

use super::*;

/// One step in making an archive, right or wrong.
#[derive(Clone, Debug)]
enum Step {
    Member {
        flag: u8,
        name: String,
        link: String,
        body: Vec<u8>,
        gnu: bool,
    },
    Records(Vec<(String, Vec<u8>)>),
    Long(bool, String),
    Sparse(u8),
    Zeros(usize),
    Raw(Vec<u8>),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,3}(/[a-c]{1,3}){0,3}/?",
        "(\\./|/|\\.\\./)?[ab](//[ab]|/\\.\\.|/\\.)?",
        "[a-b]/\\.wh\\.(\\.wh\\.\\.opq|\\.|[a-c]{0,2})",
        Just("passwd".to_owned()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let body = prop_oneof![
        Just(vec![]),
        prop::collection::vec(any::<u8>(), 0..1_600),
        Just(b"root:x:0:0:root:/:/bin/sh\n".to_vec()),
    ];
    let record = prop_oneof![
        (Just("path".to_owned()), name().prop_map(String::into_bytes)),
        (Just("size".to_owned()), "[0-9]{1,3}".prop_map(String::into_bytes)),
        (
            Just("uid".to_owned()),
            "-?[0-9]{1,20}".prop_map(String::into_bytes)
        ),
        (
            Just("SCHILY.xattr.security.capability".to_owned()),
            prop::collection::vec(any::<u8>(), 0..24)
        ),
        ("[a-z]{1,4}", prop::collection::vec(any::<u8>(), 0..10)),
    ];
    prop_oneof![
        8 => (prop::sample::select(b"0000001234567SVg\0".to_vec()), name(), name(), body, any::<bool>())
            .prop_map(|(flag, name, link, body, gnu)| Step::Member { flag, name, link, body, gnu }),
        3 => prop::collection::vec(record, 0..4).prop_map(Step::Records),
        2 => (any::<bool>(), name()).prop_map(|(link, name)| Step::Long(link, name)),
        2 => (0..3_u8).prop_map(Step::Sparse),
        1 => (1..4_usize).prop_map(Step::Zeros),
        1 => prop::collection::vec(any::<u8>(), 0..1_200).prop_map(Step::Raw),
    ]
}

fn build(steps: &[Step]) -> Vec<u8> {
    let mut tar = Tar::default();
    for step in steps {
        tar = match step {
            Step::Member {
                flag,
                name,
                link,
                body,
                gnu,
            } => {
                let head = Head::new(*flag, name.as_bytes(), body.len() as u64).link(link.as_bytes());
                tar.member(if *gnu { head.gnu() } else { head }, body)
            }
            Step::Records(records) => {
                let records: Vec<_> = records
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_slice()))
                    .collect();
                tar.pax(&records)
            }
            Step::Long(link, name) => tar.extension(if *link { b'K' } else { b'L' }, name.as_bytes()),
            Step::Sparse(0) => tar
                .pax(&[
                    ("GNU.sparse.numblocks", b"2"),
                    ("GNU.sparse.map", b"3,2,9,1"),
                    ("GNU.sparse.size", b"12"),
                ])
                .file("passwd", b"abc"),
            Step::Sparse(1) => {
                let mut body = b"1\n4\n2\n".to_vec();
                body.resize(512, 0);
                body.extend_from_slice(b"xy");
                tar.pax(&[
                    ("GNU.sparse.major", b"1"),
                    ("GNU.sparse.minor", b"0"),
                    ("GNU.sparse.realsize", b"9"),
                ])
                .file("s", &body)
            }
            Step::Sparse(_) => tar.raw(
                &Head::new(b'S', b"passwd", 0)
                    .gnu()
                    .with(483, b"00000000004\0")
                    .block(false),
            ),
            Step::Zeros(count) => tar.zeros(*count),
            Step::Raw(bytes) => tar.raw(bytes),
        };
    }
    tar.0
}

const WANTS: &[Want] = &[Want::Name("passwd"), Want::Below("/a"), Want::Accounts];

/// Caps that small archives hit.
fn tight() -> Limits {
    Limits {
        kept_file: 700,
        kept_layer: 2_000,
        members: 12,
        layer: 9_000,
        frames: 9,
        ..Limits::default()
    }
}

fn outcome(blob: &mut (dyn Read + Send)) -> Result<(LayerFacts, Option<Failure>), Code> {
    let limits = tight();
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants: WANTS,
        limits: &limits,
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    read_to_fault(blob, None, &reading).map_err(|failure| failure.code)
}

/// What the pushed decompressor and walker make of `blob` in chunks of `sizes`, on one thread.
fn pushed(blob: &[u8], sizes: &[usize]) -> Result<(LayerFacts, Option<Failure>), Code> {
    let limits = tight();
    let inspector = super::super::contents::inspector(Catalog::builtin(), &limits);
    let contents = Contents::new(WANTS, &limits, inspector);
    let pass = Pass::new(&limits, None, Collector::new(&limits, contents));
    let (mut rest, mut sizes) = (blob, sizes.iter().cycle());
    let pieces = std::iter::from_fn(|| {
        let count = sizes.next().map_or(1, |&size| size.clamp(1, rest.len().max(1)));
        let (piece, tail) = rest.split_at_checked(count)?;
        rest = tail;
        Some(piece)
    });
    read_pieces(pieces, &limits, pass).map_err(|failure| failure.code)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_do_not_matter(
        steps in prop::collection::vec(step(), 1..8),
        ended in any::<bool>(),
        sizes in prop::collection::vec(1..1_500_usize, 1..9),
        codec in 0..4_u8,
        damage in prop::option::of((any::<Index>(), 1..=255_u8)),
    ) {
        let mut plain = build(&steps);
        if ended {
            plain.extend_from_slice(&[0; 1_024]);
        }
        let mut blob: Vec<u8> = match codec {
            0 => plain,
            1 => gzip(&plain),
            2 => plain.chunks(777).flat_map(gzip).collect(),
            _ => plain.chunks(777).flat_map(zstd_frame).collect(),
        };
        if let Some((at, change)) = damage {
            let at = at.index(blob.len());
            blob[at] ^= change;
        }
        let whole = outcome(&mut &blob[..]);
        let others = [pushed(&blob, &sizes), pushed(&blob, &[1]), outcome(&mut Drip(&blob))];
        for other in others {
            // What a damaged zstd frame gives before its decoder finds the damage depends on the pieces, which are of one size
            // in a scan. That something is wrong does not.
            prop_assert_eq!(is_clean(&other), is_clean(&whole));
            if codec < 3 || damage.is_none() || is_clean(&whole) {
                prop_assert_eq!(&other, &whole);
            }
        }
    }
}

/// Whether a layer was read to its end without a fault or a gap.
fn is_clean(outcome: &Result<(LayerFacts, Option<Failure>), Code>) -> bool {
    matches!(outcome, Ok((facts, None)) if facts.gaps.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(
        steps in prop::collection::vec(step(), 1..6),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..12),
        cut in any::<Index>(),
        codec in 0..3_u8,
        late in any::<bool>(),
    ) {
        let mut bytes = build(&steps);
        bytes.extend_from_slice(&[0; 1_024]);
        let change = |bytes: &mut Vec<u8>| {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            // A checksum that fits lets the change through to what lies behind it.
            if let Some(block) = bytes.first_chunk::<512>() {
                let block = Head(*block).block(false);
                bytes[..512].copy_from_slice(&block);
            }
            if late {
                let at = cut.index(bytes.len());
                bytes.truncate(at);
            }
        };
        match codec {
            0 => change(&mut bytes),
            1 => {
                change(&mut bytes);
                bytes = gzip(&bytes);
            }
            _ => {
                bytes = zstd_frame(&bytes);
                for (at, byte) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] ^= *byte;
                }
            }
        }
        if let Err(code) = outcome(&mut &bytes[..]) {
            prop_assert!(matches!(code, Code::Corrupt | Code::TooLarge), "{:?}", code);
        }
    }
}

/// Names, links and bodies that the `tar` crate writes and we must read.
fn crate_member() -> impl Strategy<Value = (String, u8, String, Vec<u8>)> {
    (
        "[a-z]{1,60}(/[a-z]{1,120}){0,3}",
        0..4_u8,
        "[a-z]{1,150}",
        prop::collection::vec(any::<u8>(), 0..2_000),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_tar_crate_writes_reads_the_same(members in prop::collection::vec(crate_member(), 0..8)) {
        let mut builder = ::tar::Builder::new(Vec::new());
        for (name, kind, link, body) in &members {
            let mut head = ::tar::Header::new_gnu();
            head.set_mode(0o751);
            head.set_uid(1_000_000_000_000);
            head.set_gid(7);
            head.set_size(0);
            match kind {
                0 | 1 => {
                    head.set_size(body.len() as u64);
                    builder.append_data(&mut head, name, &body[..]).unwrap();
                }
                2 => {
                    head.set_entry_type(::tar::EntryType::Symlink);
                    builder.append_link(&mut head, name, link).unwrap();
                }
                _ => {
                    head.set_entry_type(::tar::EntryType::Directory);
                    builder.append_data(&mut head, name, io::empty()).unwrap();
                }
            }
        }
        let blob = builder.into_inner().unwrap();
        let got = facts(&blob);
        prop_assert_eq!(got.entries.len(), members.len());
        let mut archive = ::tar::Archive::new(&blob[..]);
        for (entry, theirs) in got.entries.iter().zip(archive.entries().unwrap()) {
            let mut theirs = theirs.unwrap();
            prop_assert_eq!(&entry.path, &RootPath::clean(&theirs.path_bytes()));
            prop_assert_eq!(u32::from(entry.mode), theirs.header().mode().unwrap());
            prop_assert_eq!(entry.uid, theirs.header().uid().unwrap());
            prop_assert_eq!(entry.gid, theirs.header().gid().unwrap());
            match &entry.kind {
                Kind::File => {
                    let mut body = Vec::new();
                    io::copy(&mut theirs, &mut body).unwrap();
                    prop_assert_eq!(&entry.kept.as_ref().unwrap().bytes, &body);
                    prop_assert_eq!(entry.size, body.len() as u64);
                }
                Kind::Symlink(target) => prop_assert_eq!(&target[..], &theirs.link_name_bytes().unwrap()[..]),
                kind => prop_assert_eq!(kind, &Kind::Directory),
            }
        }
    }
}
