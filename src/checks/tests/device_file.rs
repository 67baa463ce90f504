//! Tests of `device-file`.

use super::*;

#[test]
fn every_known_device_weighs_by_what_it_opens_and_where_it_lies() {
    use Severity::{Critical, High, Info, Medium};
    let severity = |entry: Entry| {
        in_files("device-file", [entry])
            .pop()
            .map(|finding| finding.severity)
    };
    let mut rows = vec![
        ((1, 1), High),
        ((1, 2), High),
        ((1, 4), High),
        ((10, 200), High),
        ((10, 229), High),
        ((21, 0), High),
        ((162, 0), High),
        ((1, 3), Info),
        ((1, 5), Info),
        ((1, 7), Info),
        ((1, 8), Info),
        ((1, 9), Info),
        ((5, 0), Info),
        ((5, 1), Info),
        ((5, 2), Info),
        ((1, 6), Medium),
        ((1, 11), Medium),
        ((5, 3), Medium),
        ((10, 201), Medium),
        ((99, 1), Medium),
        ((135, 0), Medium),
        ((144, 0), Medium),
    ];
    rows.extend((136..=143).map(|major| ((major, 17), Info)));
    for ((major, minor), covered) in rows {
        let outside = if covered == High { Critical } else { Medium };
        assert_eq!(
            severity(device("/dev/x", major, minor)),
            Some(covered),
            "{major}:{minor}"
        );
        assert_eq!(
            severity(device("/opt/x", major, minor)),
            Some(outside),
            "{major}:{minor}"
        );
    }
    assert_eq!(severity(disk("/dev/sda", 0o600)), Some(High));
    assert_eq!(severity(disk("/sda", 0o600)), Some(Critical));
    // A second name outside is enough.
    let found = in_files(
        "device-file",
        [disk("/dev/sda", 0o600), hardlink("/opt/sda", "/dev/sda")],
    );
    assert_eq!((found.len(), found[0].severity), (1, Critical));
    assert_eq!(found[0].path, Some("/opt/sda".into()));
    // What is no device.
    assert_eq!(severity(device("/dev/gone", 0, 0)), None);
    assert_eq!(severity(entry("/dev/pipe", Kind::Fifo, 0o666)), None);
    assert_eq!(severity(file("/dev/sda", 0o666)), None);
}

#[test]
fn a_device_that_the_user_may_read_weighs_more() {
    let severity = |bits: u16, user: &str| {
        let files = rootfs([disk("/dev/sda", bits)]);
        let found = look("device-file", &files, Some(&config(user, &["/x"], &[]))).remove(0);
        (found.severity, found.message.contains("may read it"))
    };
    assert_eq!(severity(0o660, "1000:1000"), (Severity::High, false));
    assert_eq!(severity(0o664, "1000:1000"), (Severity::Critical, true));
    assert_eq!(severity(0o660, "0"), (Severity::Critical, true));
    assert_eq!(severity(0o660, ""), (Severity::Critical, true));
}
