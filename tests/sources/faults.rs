//! Registries that fail, lie or break off.

use scant::failure::Code;

use crate::support::{
    fault::{Reply, Server, serve},
    image::TestImage,
    options, pull,
};

#[test]
fn a_broken_transfer_is_taken_up_where_it_broke() {
    let image = TestImage::plain();
    let served = image.clone();
    let server = Server::start(move |request| {
        let reply = serve(&served, request);
        if request.path.contains("/blobs/") && request.earlier < 3 {
            let half = reply.body.len() / 2;
            return reply.cut(half);
        }
        reply
    });
    let (_, layers) = pull(&format!("{}/a:1", server.address), &options()).unwrap();
    assert!(layers == image.layers);
    let large = crate::support::image::sha256(&image.layers[0]);
    let ranges: Vec<_> = server
        .requests(&large)
        .iter()
        .map(|request| request.from())
        .collect();
    let size = image.layers[0].len();
    assert_eq!(ranges[0], None);
    assert_eq!(ranges[1], Some(size / 2));
    assert!(ranges.len() == 4 && ranges[3] > ranges[2], "{ranges:?}");
}

#[test]
fn wrong_bytes_are_corrupt() {
    let image = TestImage::plain();
    let server = Server::start(move |request| {
        let mut reply = serve(&image, request);
        if request.path.contains("/blobs/") {
            if let Some(byte) = reply.body.get_mut(20) {
                *byte ^= 1;
            }
        }
        reply
    });
    let failure = pull(&format!("{}/a:1", server.address), &options()).unwrap_err();
    assert_eq!(failure.code, Code::DigestMismatch);
    drop(Reply::new(200, ""));
}
