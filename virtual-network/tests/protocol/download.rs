//! An answer as it arrives: a file comes in pieces, and may be cut off between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http;
use bytes::Bytes;
use futures::stream;
use reqwest::{Body, Response};

use crate::hub_house::Answer;
use crate::world::World;

const PIECE: usize = 200;
/// Below this nothing is cut: the answers to calls are short.
const SHORT: usize = 400;

/// The answer as the agent's HTTP library would give it.
pub(crate) fn response(
    world: &Arc<World>,
    printer: usize,
    is_dead: Arc<AtomicBool>,
    answer: Answer,
) -> Response {
    let is_file =
        answer.headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream");
    let body = match is_file {
        false => Body::from(answer.body),
        true => Body::wrap_stream(pieces(world, printer, is_dead, answer.body)),
    };
    let mut response = http::Response::builder().status(answer.status);
    response.headers_mut().unwrap().extend(answer.headers);
    Response::from(response.body(body).unwrap())
}

fn pieces(
    world: &Arc<World>,
    printer: usize,
    is_dead: Arc<AtomicBool>,
    body: Bytes,
) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let rate = world.rates().cut_download;
    let world = Arc::clone(world);
    let cut = {
        let mut state = world.state();
        let dice = &mut state.ways[printer].dice;
        let cut = (body.len() >= SHORT && dice.percent(rate)).then(|| dice.below(body.len() as u64));
        state.counts.cut_downloads += u64::from(cut.is_some());
        cut.map(|at| usize::try_from(at).unwrap())
    };
    let left = cut.map_or(body.clone(), |at| body.slice(..at));
    stream::unfold((left, cut.is_some()), move |(mut left, is_cut)| {
        let (is_dead, world) = (Arc::clone(&is_dead), Arc::clone(&world));
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if is_dead.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let broken = |what: &str| std::io::Error::other(what.to_owned());
            if world.is_away(printer) || (left.is_empty() && is_cut) {
                tokio::time::sleep(Duration::from_secs(30)).await;
                return Some((Err(broken("no piece for 30 s")), (Bytes::new(), false)));
            }
            if left.is_empty() {
                return None;
            }
            let piece = left.split_to(PIECE.min(left.len()));
            Some((Ok(piece), (left, is_cut)))
        }
    })
}
