//! A corrupt layer tells what stands before its fault, for no runtime would unpack it, but it is evidence.

use super::*;

/// What is told of a corrupt layer, and why it is one.
#[track_caller]
fn told(blob: &[u8]) -> (Vec<String>, String) {
    let reading = Reading {
        catalog: Catalog::builtin(),
        wants: &[],
        limits: &Limits::default(),
        stop: &AtomicBool::new(false),
        held: &AtomicUsize::new(0),
    };
    let (facts, fault) = read_to_fault(&mut &blob[..], None, &reading).unwrap();
    let fault = fault.expect("a fault");
    assert_eq!(fault.code, Code::Corrupt);
    assert_eq!(refusal(blob), fault, "who wants all or nothing is refused");
    (paths(&facts), fault.message)
}

fn two() -> Tar {
    Tar::default()
        .file("bin/sh", b"#!/bin/sh")
        .file("etc/passwd", &[b'x'; 700])
}

#[test]
fn members_before_a_bad_header_are_told() {
    let blob = two().raw(&[7; 512]).file("c", b"").end();
    let (paths, why) = told(&blob);
    assert_eq!(paths, ["/bin/sh", "/etc/passwd"]);
    assert!(why.contains("after `/etc/passwd`"), "{why}");
}

#[test]
fn members_before_a_cut_are_told_and_the_one_it_goes_through_is_not() {
    let plain = two().0;
    let cut = &plain[..plain.len() - 600];
    assert_eq!(told(cut).0, ["/bin/sh"]);
    // Of a compressed layer as much as came out of it.
    let noise: Vec<u8> = (0..60_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let whole = gzip(&two().file("noise", &noise).end());
    assert_eq!(told(&whole[..whole.len() / 2]).0, ["/bin/sh", "/etc/passwd"]);
    let frames = [zstd_frame(&plain), zstd_frame(&[1; 600])].concat();
    assert_eq!(told(&frames).0, ["/bin/sh", "/etc/passwd"]);
}

#[test]
fn what_is_wrong_all_over_tells_nothing() {
    let mut blob = gzip(&two().end());
    blob[12] ^= 0xff;
    assert_eq!(told(&blob).0, [""; 0]);
    assert_eq!(refusal(b"").code, Code::Corrupt);
}
