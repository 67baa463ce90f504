use super::{testing::*, *};

fn paths(rootfs: &Rootfs) -> Vec<String> {
    rootfs
        .under(&RootPath::root())
        .map(|(path, _)| path.to_string())
        .collect()
}

#[test]
fn empty_images_have_a_root() {
    let fs = Rootfs::default();
    assert_eq!(fs.nodes().count(), 1);
    assert!(fs.resolve(&"/".into()).unwrap().implied);
    assert_eq!(paths(&fs), Vec::<String>::new());
}
