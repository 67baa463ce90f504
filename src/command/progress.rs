//! Progress: one line on standard error that tells how far a scan has come, gone before the report is printed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scan::Progress;

/// A scan that is over by then needs no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs `work`, and shows its progress if `visible` and if it takes long enough to wonder.
pub(super) fn with<T>(visible: bool, work: impl FnOnce(&dyn Progress) -> T) -> T {
    if !visible {
        return work(&Silent);
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template("{msg} {bytes} of {total_bytes} {wide_bar} {eta}") {
        bar.set_style(style);
    }
    let line = Line {
        bar: bar.clone(),
        layers: AtomicU64::new(0),
        done: AtomicU64::new(0),
    };
    line.tell();
    let (over, wait) = std::sync::mpsc::channel::<()>();
    let result = thread::scope(|scope| {
        let bar = bar.clone();
        scope.spawn(move || {
            if wait
                .recv_timeout(PATIENCE)
                .is_err_and(|why| why == std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(200));
            }
        });
        let result = work(&line);
        drop(over);
        result
    });
    bar.finish_and_clear();
    result
}

struct Silent;

impl Progress for Silent {
    fn opened(&self, _images: usize, _layers: usize, _bytes: u64) {}
    fn read(&self, _bytes: u64) {}
    fn layer_done(&self) {}
}

struct Line {
    bar: ProgressBar,
    layers: AtomicU64,
    done: AtomicU64,
}

impl Line {
    fn tell(&self) {
        let (done, layers) = (
            self.done.load(Ordering::Relaxed),
            self.layers.load(Ordering::Relaxed),
        );
        self.bar.set_message(match layers {
            0 => "opening".to_owned(),
            _ => format!("layer {} of {layers},", (done + 1).min(layers)),
        });
    }
}

impl Progress for Line {
    fn opened(&self, _images: usize, layers: usize, bytes: u64) {
        self.layers.fetch_add(layers as u64, Ordering::Relaxed);
        self.bar.inc_length(bytes);
        self.tell();
    }

    fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn layer_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }
}
