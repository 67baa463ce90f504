//! Debian's registry in every mode it has.

use scant::{
    failure::Code,
    source::{Login, PlatformChoice, RegistryOptions, Secret},
};

use crate::support::{
    image::{self, TestImage, host_platform},
    open, options, pull,
    registry::{Mode, PASSWORD, Registry, USER},
};

fn logged_in(password: &str) -> RegistryOptions {
    RegistryOptions {
        login: Some(Login {
            username: USER.into(),
            password: Secret(password.into()),
        }),
        ..RegistryOptions::default()
    }
}

#[test]
fn an_image_comes_whole_under_tag_and_digest() {
    let image = TestImage::plain();
    let docker = TestImage::new(image::DOCKER_MANIFEST, host_platform(), &[1_000_000, 0, 77]);
    let registry = Registry::start_with(&Mode::Plain, |registry| {
        registry.push("team/app", "1.0", &image);
        registry.push("docker", "latest", &docker);
    });
    let address = &registry.address;
    let digest = image.digest();
    for target in [
        format!("{address}/team/app:1.0"),
        format!("{address}/team/app@{digest}"),
        format!("{address}/team/app:no-such-tag@{digest}"),
    ] {
        let (found, layers) =
            pull(&target, &options()).unwrap_or_else(|failure| panic!("{target}: {failure}"));
        assert_eq!(found.target, target);
        assert_eq!(found.name, "team/app");
        assert_eq!(found.digest.unwrap().to_string(), digest);
        assert_eq!(found.config.unwrap().user, "65532:65532");
        assert!(layers == image.layers);
    }
    let (found, layers) = pull(&format!("{address}/docker"), &options()).unwrap();
    assert_eq!(found.reference, Some(format!("{address}/docker:latest")));
    assert!(layers == docker.layers);
    let absent = open(&format!("{address}/team/app:2.0"), &options())
        .err()
        .unwrap();
    assert_eq!(absent.code, Code::NotFound);
    assert!(absent.message.contains("MANIFEST_UNKNOWN"), "{absent}");
}

#[test]
fn an_index_yields_the_platforms_asked_for() {
    let amd = TestImage::new(image::OCI_MANIFEST, ("linux", "amd64"), &[1_000]);
    let arm = TestImage::new(image::OCI_MANIFEST, ("linux", "arm64"), &[2_000]);
    let children = [(&amd, ("linux", "amd64")), (&arm, ("linux", "arm64"))];
    let index = image::index(image::OCI_INDEX, &children);
    let list = image::index(image::DOCKER_LIST, &children);
    let registry = Registry::start_with(&Mode::Plain, |registry| {
        registry.push("multi", "amd", &amd);
        registry.push("multi", "arm", &arm);
        registry.push_manifest("multi", "all", image::OCI_INDEX, &index);
    });
    let target = format!("{}/multi:all", registry.address);
    let mut options = options();
    options.platform = PlatformChoice::Exact("linux/arm64".parse().unwrap());
    let (found, layers) = pull(&target, &options).unwrap();
    assert_eq!(found.index_digest.unwrap().to_string(), image::sha256(&index));
    assert_eq!(found.digest.unwrap().to_string(), arm.digest());
    assert!(layers == arm.layers);
    options.platform = PlatformChoice::All;
    let (found, _) = open(&target, &options).unwrap();
    assert_eq!(found.len(), 2);
    options.platform = PlatformChoice::Exact("linux/s390x".parse().unwrap());
    assert_eq!(open(&target, &options).err().unwrap().code, Code::NoSuchPlatform);
    drop(list);
}

#[test]
fn a_password_is_asked_for_and_taken() {
    let image = TestImage::plain();
    let registry = Registry::start_with(&Mode::Password, |registry| registry.push("private", "1", &image));
    let target = format!("{}/private:1", registry.address);
    let mut options = options();
    let denied = open(&target, &options).err().unwrap();
    assert_eq!(denied.code, Code::Denied, "{denied}");
    options.registry = logged_in("wrong");
    let denied = open(&target, &options).err().unwrap();
    assert_eq!(denied.code, Code::Denied, "{denied}");
    assert!(!format!("{denied:?} {options:?}").contains("wrong"));
    options.registry = logged_in(PASSWORD);
    assert!(pull(&target, &options).unwrap().1 == image.layers);
}
