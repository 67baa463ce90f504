//! What long paths and many members cost.

use super::*;

#[test]
fn long_paths_and_many_members_cost_little() {
    let deep = "d/".repeat(2000) + "x";
    let fs = merge([
        layer([file(&deep, 0o755), symlink("/l", &deep)]),
        layer([whiteout(&deep)]),
        layer([whiteout("/d")]),
    ]);
    assert_eq!(paths(&fs), ["/l"]);
    assert_eq!(residue(&fs).len(), 1);
    let fs = rootfs([file(&deep, 0o755), symlink("/l", &deep)]);
    assert_eq!(fs.nodes().count(), 2003);
    assert_eq!(fs.aliases(get(&fs, &deep)).len(), 1);

    let many = || (0..100_000).map(|n| file(&format!("/usr/share/{}/{n}", n % 1000), 0o644));
    let start = std::time::Instant::now();
    let fs = merge([
        layer(many()),
        layer(many()),
        layer([opaque("/usr/share")]),
        layer(many()),
    ]);
    assert_eq!(leaves(&fs).len(), 100_000);
    assert_eq!(fs.residue().len(), 200_000);
    // A quadratic merge would take hours.
    assert!(start.elapsed().as_secs() < 30);
}

#[test]
fn short_members_cannot_stand_for_endless_paths() {
    let deep = "d/".repeat(2000);
    let links = (0..100_000).map(|n| file(&format!("/l/{n}"), 0o644));
    let fs = rootfs([dir(&deep, 0o755), symlink("/l", &deep)].into_iter().chain(links));
    assert!(fs.nodes().count() < 60_000);
    let (_, last) = fs.gaps().last().unwrap();
    assert!(last.why.contains("more than 134217728 steps"), "{}", last.why);
    assert!(noted(&fs, "more gaps of this sort"));
    // Implied directories, likewise.
    let fs = rootfs((0..1000).map(|n| file(&format!("/{n}/{deep}x"), 0o644)));
    assert!(fs.nodes().count() < 200_000);
    assert!(!fs.gaps().is_empty());
    // Chains of links are walked once each.
    let chain = (0..20_000).map(|n| symlink(&format!("/{n}"), &format!("{}{}", "./".repeat(1000), n + 1)));
    assert!(rootfs(chain).gaps().is_empty());
}
