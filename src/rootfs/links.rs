//! Links: where a path leads inside the root, as Linux follows it, and which links lead to a file.

use super::{Dirent, Rootfs, Unresolved};
use crate::{layer::Kind, limits::Limits, path::RootPath};

/// Where the link under one name leads. Every link is followed once, so that no chain is walked again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Not followed yet, or no link.
    #[default]
    Open,
    /// To this node, through `hops` links behind the first.
    Node { node: u32, hops: u8 },
    /// Nothing is at `start..end` of the target of the link with this dirent, in directory `dir`.
    Missing {
        dir: u32,
        link: u32,
        start: u32,
        end: u32,
    },
    /// Round and round, or through more than 40 links.
    Loop,
    /// This node has components behind it and is no directory.
    NotADirectory { node: u32 },
}

/// A path being followed.
struct Walk<'r> {
    raw: &'r [u8],
    next: usize,
    at: u32,
    hops: usize,
}

/// Why a walk stands still.
enum Stop {
    /// A link that was not followed yet is in the way.
    Open(u32),
    /// Nothing is at these bytes of the path, in directory `dir`.
    Missing { dir: u32, start: usize, end: usize },
    /// A link or the path itself leads nowhere else.
    End(End),
}

impl<'r> Walk<'r> {
    /// A walk along `raw` from directory `at`, or from the root if `raw` begins with a slash.
    fn new(at: u32, raw: &'r [u8]) -> Self {
        let at = if raw.first() == Some(&b'/') { 0 } else { at };
        Self {
            raw,
            next: 0,
            at,
            hops: 0,
        }
    }

    /// The next component and where it ends.
    fn component(&self, from: usize) -> Option<(usize, usize)> {
        let start = from + self.raw.get(from..)?.iter().position(|&b| b != b'/')?;
        let rest = self.raw.get(start..)?;
        Some((
            start,
            start + rest.iter().position(|&b| b == b'/').unwrap_or(rest.len()),
        ))
    }

    fn slice(&self, (start, end): (usize, usize)) -> &'r [u8] {
        self.raw.get(start..end).unwrap_or_default()
    }

    /// Whether `proc/self/root` or the like comes next, which is the root; then where it ends.
    fn process_root(&self) -> Option<usize> {
        let proc = self.component(self.next)?;
        let process = self.component(proc.1)?;
        let root = self.component(process.1)?;
        let known = self.slice(proc) == b"proc"
            && matches!(self.slice(process), b"self" | b"thread-self" | b"1")
            && self.slice(root) == b"root";
        known.then_some(root.1)
    }

    /// Goes on until the end of the path or something stops it.
    fn advance(&mut self, rootfs: &Rootfs, ends: &[End]) -> Result<u32, Stop> {
        while let Some((start, end)) = self.component(self.next) {
            if self.at == 0
                && let Some(after) = self.process_root()
            {
                self.next = after;
                continue;
            }
            let node = match self.slice((start, end)) {
                b"." => self.at,
                b".." => rootfs.parent_of(self.at),
                name => {
                    let Some(found) = rootfs.lookup(self.at, name) else {
                        return Err(Stop::Missing {
                            dir: self.at,
                            start,
                            end,
                        });
                    };
                    let node = rootfs.dirents[found as usize].node;
                    match rootfs.nodes[node as usize].kind {
                        Kind::Symlink(_) => self.through(found, ends)?,
                        _ => node,
                    }
                }
            };
            // Whatever a slash follows must be a directory, at the end of the path too.
            if end < self.raw.len() && rootfs.nodes[node as usize].kind != Kind::Directory {
                return Err(Stop::End(End::NotADirectory { node }));
            }
            (self.at, self.next) = (node, end);
        }
        Ok(self.at)
    }

    /// Goes through the link under a name.
    fn through(&mut self, link: u32, ends: &[End]) -> Result<u32, Stop> {
        match ends.get(link as usize).copied().unwrap_or_default() {
            End::Open => Err(Stop::Open(link)),
            End::Node { node, hops } => {
                self.hops += 1 + usize::from(hops);
                if self.hops > Limits::default().link_hops {
                    return Err(Stop::End(End::Loop));
                }
                Ok(node)
            }
            other => Err(Stop::End(other)),
        }
    }
}

/// For each node, where its children begin in the list of dirents, and one more for the end.
pub(super) fn first_dirents(rootfs: &Rootfs) -> Vec<u32> {
    let mut first = vec![0; rootfs.nodes.len() + 1];
    for dirent in &rootfs.dirents {
        first[dirent.parent as usize + 1] += 1;
    }
    let mut sum = 0;
    for count in &mut first {
        sum += *count;
        *count = sum;
    }
    first
}

/// Follows every link once. Returns the end of each dirent, and (node, dirent of a link that leads to it), sorted.
pub(super) fn follow_all(rootfs: &Rootfs) -> (Vec<End>, Vec<(u32, u32)>) {
    let mut ends = vec![End::Open; rootfs.dirents.len()];
    let target = |link: u32| match rootfs.link_target(link) {
        Some((dirent, target)) => Walk::new(dirent.parent, target),
        None => Walk::new(0, b"."),
    };
    for link in 0..rootfs.dirents.len() as u32 {
        if ends[link as usize] != End::Open || rootfs.link_target(link).is_none() {
            continue;
        }
        // Links behind links wait here, not on the program's stack; one that waits and is met again is a loop.
        let mut waiting = vec![(link, target(link))];
        ends[link as usize] = End::Loop;
        while let Some((link, walk)) = waiting.last_mut() {
            let link = *link;
            let end = match walk.advance(rootfs, &ends) {
                Err(Stop::Open(next)) => {
                    ends[next as usize] = End::Loop;
                    waiting.push((next, target(next)));
                    continue;
                }
                // An empty target exists in no file system.
                Ok(_) if walk.raw.is_empty() => End::Missing {
                    dir: walk.at,
                    link,
                    start: 0,
                    end: 0,
                },
                Ok(node) => End::Node {
                    node,
                    hops: walk.hops as u8,
                },
                Err(Stop::Missing { dir, start, end }) => End::Missing {
                    dir,
                    link,
                    start: start as u32,
                    end: end as u32,
                },
                Err(Stop::End(end)) => end,
            };
            ends[link as usize] = end;
            waiting.pop();
        }
    }
    let limit = Limits::default().link_hops;
    let mut links_to: Vec<(u32, u32)> = (0..)
        .zip(&ends)
        .filter_map(|(link, end)| match end {
            End::Node { node, hops } if usize::from(*hops) < limit => Some((*node, link)),
            _ => None,
        })
        .collect();
    links_to.sort_unstable();
    (ends, links_to)
}

impl Rootfs {
    /// The target of the link under a name, and the name.
    fn link_target(&self, link: u32) -> Option<(Dirent, &[u8])> {
        let dirent = *self.dirents.get(link as usize)?;
        match &self.nodes.get(dirent.node as usize)?.kind {
            Kind::Symlink(target) => Some((dirent, target)),
            _ => None,
        }
    }

    /// The directory that holds a directory.
    fn parent_of(&self, dir: u32) -> u32 {
        self.parents.get(dir as usize).copied().unwrap_or(0)
    }

    /// Follows `raw` from a directory to the node it reaches.
    pub(super) fn follow(&self, directory: u32, raw: &[u8]) -> Result<u32, Unresolved> {
        let mut walk = Walk::new(directory, raw);
        let end = match walk.advance(self, &self.ends) {
            Ok(node) => return Ok(node),
            Err(Stop::Missing { dir, start, end }) => {
                return Err(self.missing(dir, walk.slice((start, end))));
            }
            Err(Stop::Open(_)) => End::Loop,
            Err(Stop::End(end)) => end,
        };
        Err(match end {
            End::Missing {
                dir,
                link,
                start,
                end,
            } => {
                let target = self.link_target(link).map_or(&[][..], |(_, target)| target);
                self.missing(dir, target.get(start as usize..end as usize).unwrap_or_default())
            }
            End::NotADirectory { node } => Unresolved::NotADirectory(self.path_of(node)),
            End::Loop | End::Open | End::Node { .. } => Unresolved::Loop,
        })
    }

    fn missing(&self, dir: u32, name: &[u8]) -> Unresolved {
        Unresolved::Missing(self.path_of(dir).join(name))
    }

    /// The first path of a node.
    fn path_of(&self, node: u32) -> RootPath {
        let node = self.nodes.get(node as usize);
        node.and_then(|node| node.paths.first())
            .cloned()
            .unwrap_or_default()
    }
}
