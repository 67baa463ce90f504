//! Every cap on what an image can make scant do, each with its unit and its reason.

/// Caps on sizes, counts and depths that an image controls.
///
/// One that is hit becomes a [`Gap`](crate::gap::Gap) or a [`Failure`](crate::failure::Failure) that names it, never silence.
/// [`Limits::default`] is what a scan uses; tests lower single fields to reach them cheaply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one manifest or index. Other clients stop at 4 MiB too.
    pub manifest: u64,
    /// Bytes of one image configuration.
    pub config: u64,
    /// Bytes of one token answer or error body.
    pub answer: u64,
    /// Descriptors looked at while an index and its nested indexes are resolved.
    pub descriptors: usize,
    /// Indexes inside indexes.
    pub index_depth: usize,
    /// Layers of one image. Overlay file systems stop near 128.
    pub layers: usize,
    /// Uncompressed bytes of one layer: a gzip bomb inflates 1,032 to 1, zstd far more.
    pub layer: u64,
    /// Uncompressed bytes of all layers of one image.
    pub image: u64,
    /// Largest zstd window as a power of two; memory per running layer.
    pub zstd_window_log: u32,
    /// gzip members or zstd frames of one layer.
    pub frames: u64,
    /// Tar members of one layer (about 150 bytes of facts each).
    pub members: usize,
    /// Bytes of paths, link targets and attributes of one layer's members, held in memory.
    pub names: usize,
    /// Bytes of facts that all layers of one image may hold in memory: entries with their names, programs and kept
    /// contents. Judging takes about twice as much again.
    pub facts: usize,
    /// Bytes of one path; longer ones cannot be made on Linux.
    pub path: usize,
    /// Bytes of one path component; longer ones cannot be made on Linux.
    pub component: usize,
    /// Bytes of one PAX, GNU long-name or sparse-map body, as in Go's `archive/tar`.
    pub tar_extension: u64,
    /// PAX records of one member.
    pub pax_records: usize,
    /// Bytes of one extended attribute's value (Linux).
    pub xattr: usize,
    /// Bytes of the table of contents of one layer of eStargz form.
    pub table: usize,
    /// Bytes kept of one file whose content a check asks for.
    pub kept_file: usize,
    /// Bytes kept of all such files of one layer.
    pub kept_layer: usize,
    /// Bytes of the largest file that is searched for secrets.
    pub secrets_file: u64,
    /// Bytes of its beginning that are searched.
    pub secrets_head: usize,
    /// Bytes of `/etc/passwd` or `/etc/group` above which every runtime refuses to start.
    pub accounts: usize,
    /// Bytes of one program held in memory while it is looked into; what lies behind is searched as it streams by.
    pub program: usize,
    /// Bytes that one packed program may unpack to.
    pub unpacked: usize,
    /// Archives in one another that are looked into.
    pub archive_depth: usize,
    /// Bytes that the archives and compressed files of one layer may unpack to while they are looked into.
    pub archive_bytes: u64,
    /// Bytes that one file may unpack to, for each of its own; [`Limits::archive_floor`] is granted on top.
    pub archive_ratio: u64,
    /// Bytes that any file may unpack to, however small it is.
    pub archive_floor: u64,
    /// Bytes of one squashfs image held while it is looked into: its contents are found by tables at its end.
    pub squashfs: usize,
    /// Members of one file's archives, those of archives in it too.
    pub archive_members: usize,
    /// Bytes of program headers (more than the kernel takes).
    pub program_headers: usize,
    /// Entries of one dynamic section.
    pub dynamic_entries: usize,
    /// Dynamic symbols looked at in one program.
    pub symbols: usize,
    /// Names of libraries kept of one program's texts.
    pub library_names: usize,
    /// Paths looked up while it is found out what the entry point needs.
    pub reach_work: usize,
    /// Symbolic links followed for one path, as in Linux.
    pub link_hops: usize,
    /// Steps through links, and bytes of directories that no member names, while one image's layers are merged: what
    /// short members could otherwise multiply.
    pub tree_work: usize,
    /// Bytes of small JSON members kept of an archive that passes once.
    pub archive_json: u64,
    /// Redirects followed for one request.
    pub redirects: usize,
    /// Seconds without a byte after which a connection is given up.
    pub stall: u64,
    /// Longest single wait that a registry can ask for, in seconds.
    pub retry_after: u64,
    /// Tries for one request.
    pub tries: u32,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 * MIB,
            config: 4 * MIB,
            answer: MIB,
            descriptors: 10_000,
            index_depth: 8,
            layers: 1_024,
            layer: 16 * GIB,
            image: 32 * GIB,
            zstd_window_log: 27,
            frames: 1_000_000,
            members: 500_000,
            names: (96 * MIB) as usize,
            facts: (128 * MIB) as usize,
            path: 4_095,
            component: 255,
            tar_extension: MIB,
            pax_records: 4_096,
            xattr: (64 * KIB) as usize,
            table: (8 * MIB) as usize,
            kept_file: (10 * MIB) as usize,
            kept_layer: (32 * MIB) as usize,
            secrets_file: MIB,
            secrets_head: (64 * KIB) as usize,
            accounts: (10 * MIB) as usize,
            program: (16 * MIB) as usize,
            unpacked: (128 * MIB) as usize,
            archive_depth: 2,
            archive_bytes: 2 * GIB,
            archive_ratio: 200,
            archive_floor: 16 * MIB,
            squashfs: (64 * MIB) as usize,
            archive_members: 100_000,
            program_headers: 65_536,
            dynamic_entries: 4_096,
            symbols: 1_000_000,
            library_names: 1_000,
            reach_work: 1_000_000,
            link_hops: 40,
            tree_work: (128 * MIB) as usize,
            archive_json: 64 * MIB,
            redirects: 10,
            stall: 60,
            retry_after: 120,
            tries: 6,
        }
    }
}
