//! Whether an ELF file starts, or is only loaded by others.

use goblin::elf::{
    dynamic::{DF_1_PIE, DT_FLAGS_1, DT_NEEDED, DT_SONAME, Dyn},
    header::{EM_386, EM_AARCH64, EM_RISCV, EM_X86_64, ET_DYN, ET_EXEC},
    program_header::{PF_R, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD},
};

use super::Reading;
use crate::{binary::Content, limits::Limits};

impl Reading<'_> {
    /// Whether a file of this type starts, by what was read of it and the entries of its dynamic section.
    pub(super) fn starts(&self, kind: u16, entries: &[Dyn]) -> bool {
        let position_independent = entries
            .iter()
            .find(|entry| entry.d_tag == DT_FLAGS_1)
            .is_some_and(|entry| entry.d_val & DF_1_PIE != 0);
        let lone = !entries
            .iter()
            .any(|entry| matches!(entry.d_tag, DT_NEEDED | DT_SONAME))
            && self.symbols.is_none_or(|symbols| symbols.count <= 1);
        match kind {
            ET_EXEC => true,
            // The kernel starts whatever has an entry point, be it called a library. Linkers of old gave libraries one as
            // well; what asks nothing of other files runs behind it without a loader.
            ET_DYN if self.enters_code => {
                self.elf.interpreter.is_some() || position_independent || lone || !self.asks_for_symbols()
            }
            ET_DYN => self.elf.interpreter.is_some(),
            _ => false,
        }
    }

    /// Whether the kernel maps `address` as code: whole pages, and all of a 32-bit program that says nothing of its stack
    /// (`READ_IMPLIES_EXEC`). Address 0 is that of the header, which some machines take for instructions.
    pub(super) fn is_code(&self, address: u64) -> bool {
        if address == 0 && matches!(self.elf.machine, EM_AARCH64 | EM_RISCV) {
            return false;
        }
        let page: u64 = match self.elf.machine {
            EM_386 | EM_X86_64 => 4 << 10,
            _ => 64 << 10,
        };
        let silent = !self.segments.iter().any(|segment| segment.p_type == PT_GNU_STACK);
        let code = if silent && !self.elf.class64 {
            PF_R | PF_X
        } else {
            PF_X
        };
        self.segments
            .iter()
            .filter(|segment| segment.p_type == PT_LOAD && segment.p_flags & code != 0)
            .any(|segment| {
                let end = segment.p_vaddr.saturating_add(segment.p_filesz);
                segment.p_vaddr / page <= address / page && address / page < end.div_ceil(page)
            })
    }
}

/// Whether the file that begins with `head` may be a program by its headers: what has no interpreter and no entry point in
/// code is started by neither the kernel nor a loader.
pub(in crate::binary) fn may_start(head: &[u8], limits: &Limits) -> bool {
    let mut reading = Reading::unread(Content::whole(head));
    let Some(header) = reading.header() else {
        return true;
    };
    reading.read_segments(&header, limits);
    match header.e_type {
        ET_EXEC => true,
        ET_DYN => {
            let mut segments = reading.segments.iter();
            let interpreted = segments.any(|segment| segment.p_type == PT_INTERP);
            // What is damaged here may lie behind these bytes.
            interpreted || reading.enters_code || reading.elf.damage.is_some()
        }
        _ => false,
    }
}
