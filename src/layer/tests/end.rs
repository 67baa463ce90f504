//! Where an archive ends: at its zeros, or where it was cut.

use super::*;

#[test]
fn the_end_is_where_go_sees_it() {
    let one = || Tar::default().file("a", b"x");
    for blocks in 0..4 {
        let got = facts(&one().zeros(blocks).0);
        assert_eq!(
            (paths(&got), got.behind_end, got.notes),
            (vec!["/a".to_owned()], vec![], vec![]),
            "{blocks}"
        );
    }
    let failure = refusal(&one().zeros(1).file("b", b"").end());
    assert!(failure.message.contains("single block of zeros"), "{failure}");
    assert_eq!(refusal(&one().zeros(1).raw(b"x").0).code, Code::Corrupt);
    for blocks in 2..4 {
        let got = facts(&one().zeros(blocks).file("b", b"evil").file("c", b"").end());
        assert_eq!(paths(&got), ["/a"]);
        let behind: Vec<_> = got
            .behind_end
            .iter()
            .map(|entry| entry.path.to_string())
            .collect();
        assert_eq!(behind, ["/b", "/c"]);
        assert_eq!(got.behind_end[0].kept.as_ref().unwrap().bytes, b"evil");
        assert_eq!(got.gaps, []);
    }
    let got = facts(&one().zeros(2).raw(&[7; 600]).0);
    assert_eq!(
        got.notes,
        [
            "members behind the end of the archive are cut off",
            "600 bytes behind the end of the archive"
        ]
    );
    let got = facts(&one().zeros(2).raw(&[7; 512]).file("b", b"").end());
    assert_eq!(got.behind_end.len(), 1);
    // Nothing behind the end is an error.
    for wrong in [
        Tar::default().extension(b'x', b"junk").0,
        Tar::default().pax(&[("uid", b"x")]).file("b", b"").0,
        Tar::default().raw(&Head::new(b'0', b"b", 99_999).block(false)).0,
        vec![0; 700],
    ] {
        assert_eq!(paths(&facts(&one().zeros(2).raw(&wrong).0)), ["/a"]);
    }
}

#[test]
fn a_cut_archive_is_refused() {
    let whole = Tar::default().pax(&[("path", b"p")]).file("a", &[b'x'; 700]).0;
    for at in 1..whole.len() {
        let got = read_with(&whole[..at], &[], &Limits::default());
        // Go ends where extension headers end, and does not miss padding.
        let fine = (512 + 9..=1_024).contains(&at) || at >= 1_536 + 700;
        if at < 512 {
            assert_eq!(got.unwrap().gaps.len(), 1, "no format below one block: {at}");
        } else {
            assert_eq!(got.is_ok(), fine, "cut at {at}");
        }
    }
}
