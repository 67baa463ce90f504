//! Progress: one line on standard error that tells how far a scan has come, gone before the report is printed.

use std::{
    panic,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scan::Progress;

/// A scan that is over by then needs no progress.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the scan is looked after.
const TICK: Duration = Duration::from_millis(50);
/// Work that was told to stop has this long to do so: it may wait for an input that never comes.
const GRACE: Duration = Duration::from_millis(500);
/// The same when its time is over: what was read by then is judged, and reported.
const LATE_GRACE: Duration = Duration::from_secs(5);

/// How work on a thread of its own ended.
pub(super) enum End<T> {
    /// By itself.
    Done(T),
    /// It was stopped by whoever set `stop`, and was left behind if it did not.
    Stopped,
    /// It was stopped when its time was over. `None`: it did not stop, and was left behind.
    Late(Option<T>),
}

/// Runs `work` on a thread of its own for no longer than `timeout`, and shows its progress if `visible` and if it takes long
/// enough to wonder. What does not stop when it is told to is left behind, for the end of the process.
pub(super) fn with<T: Send + 'static>(
    visible: bool,
    stop: &AtomicBool,
    timeout: Option<Duration>,
    work: impl FnOnce(&dyn Progress) -> T + Send + 'static,
) -> End<T> {
    let line = Arc::new(Line::new());
    let told = Arc::clone(&line);
    let (done, result) = mpsc::channel();
    let worker = thread::spawn(move || {
        // Nobody listens any more once the work was left behind.
        let _ = done.send(work(&*told));
    });
    let start = Instant::now();
    let mut shown = !visible;
    let (mut stopped, mut late) = (None, false);
    let result = loop {
        match result.recv_timeout(TICK) {
            Ok(result) => break Some(result),
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Ok(()) => break None,
                Err(panic) => panic::resume_unwind(panic),
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
        if !shown && start.elapsed() >= PATIENCE {
            shown = true;
            line.bar.set_draw_target(ProgressDrawTarget::stderr());
            line.bar.enable_steady_tick(Duration::from_millis(200));
        }
        if timeout.is_some_and(|timeout| start.elapsed() >= timeout) && !stop.swap(true, Ordering::Relaxed) {
            late = true;
        }
        let grace = if late { LATE_GRACE } else { GRACE };
        if stop.load(Ordering::Relaxed) && stopped.get_or_insert_with(Instant::now).elapsed() >= grace {
            break None;
        }
    };
    line.bar.finish_and_clear();
    match result {
        result if late => End::Late(result),
        Some(result) if !stop.load(Ordering::Relaxed) => End::Done(result),
        _ => End::Stopped,
    }
}

struct Line {
    bar: ProgressBar,
    layers: AtomicU64,
    done: AtomicU64,
}

impl Line {
    fn new() -> Self {
        let line = Self {
            bar: ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden()),
            layers: AtomicU64::new(0),
            done: AtomicU64::new(0),
        };
        line.look("opening images, {bytes}");
        line
    }

    fn look(&self, template: &str) {
        // The templates are ours, and a test shows them; one that were wrong would leave the line as it was.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    fn tell(&self) {
        let (done, layers) = (
            self.done.load(Ordering::Relaxed),
            self.layers.load(Ordering::Relaxed),
        );
        self.bar
            .set_message(format!("layer {} of {layers}", (done + 1).min(layers)));
    }
}

impl Progress for Line {
    fn opened(&self, _images: usize, layers: usize, bytes: u64) {
        self.layers.fetch_add(layers as u64, Ordering::Relaxed);
        // An archive that passed by is read already, and nobody knew how much there was.
        if layers > 0 {
            self.bar.reset();
            self.bar.inc_length(bytes);
            self.look("{msg}, {bytes} of {total_bytes} {wide_bar} {eta}");
            self.tell();
        }
    }

    fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn layer_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }
}
