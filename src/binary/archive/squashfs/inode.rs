//! An inode of a squashfs image says what a file is and where its content stands.

use super::{Cursor, Fault, Image, number};

/// Of a file's tail: none is in a fragment.
const NO_FRAGMENT: u32 = u32::MAX;
/// Bytes by which a directory's size is larger than its list.
const MORE: u64 = 3;

/// An inode, as far as it matters here.
#[derive(Clone, Copy)]
pub(super) enum Inode {
    Directory {
        /// Where its list begins, as of a [`Cursor`], in the table of directories.
        block: u64,
        offset: usize,
        /// Bytes of its list.
        left: u64,
    },
    File(Content),
    /// A link, a device, a pipe or a socket.
    Other,
}

/// Where the content of a file stands.
#[derive(Clone, Copy)]
pub(super) struct Content {
    /// Where in the image its first block begins.
    pub(super) at: u64,
    /// Its bytes.
    pub(super) left: u64,
    /// The fragment that has its tail.
    pub(super) fragment: Option<u32>,
    /// Where in the fragment.
    pub(super) offset: usize,
    /// Where the sizes of its blocks stand.
    pub(super) sizes: Cursor,
}

impl Image<'_, '_, '_> {
    /// The inode at a place.
    pub(super) fn inode(&mut self, at: Cursor) -> Result<Inode, Fault> {
        let mut cursor = at;
        let head: [u8; 16] = self.read(&mut cursor)?;
        Ok(match number(&head[..2]) {
            1 => {
                let body: [u8; 16] = self.read(&mut cursor)?;
                Inode::Directory {
                    block: number(&body[..4]),
                    offset: number(&body[10..12]) as usize,
                    left: number(&body[8..10]).saturating_sub(MORE),
                }
            }
            8 => {
                let body: [u8; 24] = self.read(&mut cursor)?;
                Inode::Directory {
                    block: number(&body[8..12]),
                    offset: number(&body[18..20]) as usize,
                    left: number(&body[4..8]).saturating_sub(MORE),
                }
            }
            2 => {
                let body: [u8; 16] = self.read(&mut cursor)?;
                Inode::File(Content {
                    at: number(&body[..4]),
                    fragment: fragment(&body[4..8]),
                    offset: number(&body[8..12]) as usize,
                    left: number(&body[12..]),
                    sizes: cursor,
                })
            }
            9 => {
                let body: [u8; 40] = self.read(&mut cursor)?;
                Inode::File(Content {
                    at: number(&body[..8]),
                    left: number(&body[8..16]),
                    fragment: fragment(&body[28..32]),
                    offset: number(&body[32..36]) as usize,
                    sizes: cursor,
                })
            }
            3..=7 | 10..=14 => Inode::Other,
            _ => return Err(Fault::Damaged),
        })
    }
}

fn fragment(bytes: &[u8]) -> Option<u32> {
    Some(number(bytes) as u32).filter(|fragment| *fragment != NO_FRAGMENT)
}
