//! The life of one process of an agent, and its end at any line of its log: between two lines of the journal, before an
//! order was carried out, wherever the code says something.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::world::World;

/// One process.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) is_dead: Arc<AtomicBool>,
    pub(crate) dies_at_start: AtomicBool,
    /// It dies at this line of its log, counted from 1.
    pub(crate) dies_at_line: Option<u64>,
    lines: AtomicU64,
    ended: Notify,
}

impl Life {
    pub(crate) fn new(dies_at_start: bool, dies_at_line: Option<u64>) -> Self {
        Self { dies_at_start: AtomicBool::new(dies_at_start), dies_at_line, ..Self::default() }
    }

    pub(crate) fn kill(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
        self.ended.notify_one();
    }

    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }
}

thread_local! {
    /// Whose code runs now.
    static AT_WORK: RefCell<Option<Arc<Life>>> = const { RefCell::new(None) };
}

/// Runs the code of a process: a line of the log that it writes may be its last.
pub(crate) struct Living<F> {
    pub(crate) life: Arc<Life>,
    pub(crate) code: Pin<Box<F>>,
}

struct OffWork;

impl Drop for OffWork {
    fn drop(&mut self) {
        AT_WORK.with(|at_work| at_work.borrow_mut().take());
    }
}

impl<F: Future> Future for Living<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        AT_WORK.with(|at_work| *at_work.borrow_mut() = Some(Arc::clone(&self.life)));
        let _off = OffWork;
        self.code.as_mut().poll(context)
    }
}

/// What unwinds a process that dies at a line of its log.
#[derive(Debug)]
pub(crate) struct Died;

/// Whether a task has ended so, and not by a fault.
pub(crate) fn has_died(cause: &(dyn Any + Send)) -> bool {
    cause.is::<Died>()
}

/// Listens to the log of the agents of a run.
pub(crate) struct Log(pub(crate) Arc<World>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("stardust_agent") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let life = AT_WORK.with(|at_work| at_work.borrow().clone());
        self.0.note(|| {
            let mut words = Words(String::new());
            event.record(&mut words);
            format!("    {}{}", event.metadata().level(), words.0)
        });
        let Some(life) = life else { return };
        let line = life.lines.fetch_add(1, Ordering::SeqCst) + 1;
        if life.dies_at_line == Some(line) && !self.0.state().is_well {
            self.0.note(|| "its agent dies at this line".into());
            self.0.state().counts.agent_kills_between_two_lines_of_its_log += 1;
            life.kill();
            // Without a word about a panic: it is none.
            std::panic::resume_unwind(Box::new(Died));
        }
    }
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let name = field.name();
        self.0.push_str(&match name {
            "message" => format!(" {value:?}"),
            _ => format!(" {name}={value:?}"),
        });
    }
}
