//! One request: found its route, checked, read, checked again, handed over, answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use devrig_core::{Code, Error};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use tokio_util::sync::CancellationToken;

use super::body;
use super::delivery::Delivery;
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::{Entry, Run};
use super::shared::Shared;
use crate::outliving::Outliving;

/// What requests of one connection have in common.
pub(super) struct Visit {
    pub shared: Arc<Shared>,
    pub remote: SocketAddr,
}

impl Visit {
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        let reply = match self.find(&head) {
            Ok(entry) => match self.receive(&entry, head, &mut body).await {
                Ok((delivery, run)) => return self.handle(entry, delivery, run).await,
                Err(refusal) => {
                    entry.tally.refuse(refusal.reason());
                    refusal.into_reply()
                }
            },
            Err(refusal) => {
                self.shared.strays.refuse(refusal.reason());
                refusal.into_reply()
            }
        };
        self.turn_away(reply, body).into_response()
    }

    fn find(&self, head: &Parts) -> Result<Arc<Entry>, Refusal> {
        self.shared.hosts.check(head)?;
        self.shared.routes.find(head.uri.path()).ok_or(Refusal::Path)
    }

    /// Cheap checks first, so that what is refused costs little.
    async fn receive(
        &self,
        entry: &Arc<Entry>,
        head: Parts,
        body: &mut Incoming,
    ) -> Result<(Delivery, Run), Refusal> {
        entry.check(&head.method, &head.headers)?;
        let place = entry.place()?;
        let received_at = self.shared.clock.now();
        let claimed = entry.auth.before_body(&head.headers, received_at).await?;
        let bytes = body::read(body, entry.limits.body, entry.limits.body_within).await?;
        let key = entry.auth.after_body(claimed, &bytes).await?;
        let claim = key.map(|key| entry.replays.claim(key, received_at)).transpose()?;
        let delivery = Delivery {
            id: devrig_core::id::fresh(),
            method: head.method,
            path: entry.path_of(head.uri.path()),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            body: bytes,
            received_at,
            remote: self.remote,
            unheard: CancellationToken::new(),
            proof: entry.auth.header().cloned(),
        };
        Ok((delivery, Run::new(place, claim)))
    }

    async fn handle(
        &self,
        entry: Arc<Entry>,
        delivery: Delivery,
        run: Run,
    ) -> Response<Full<Bytes>> {
        entry.tally.accept(delivery.received_at);
        // Dropped with this future when the client goes away.
        let unheard = delivery.unheard.clone().drop_guard();
        let within = entry.limits.answer_within;
        let work = work(Arc::clone(&self.shared), entry, delivery, run);
        let handling = Outliving::new(&self.shared.tasks, work);
        let reply = match tokio::time::timeout(within, handling).await {
            Ok(Some(reply)) => {
                unheard.disarm();
                reply
            }
            Ok(None) => {
                tracing::error!("a handler of webhooks panicked");
                panicked()
            }
            Err(_) => unanswered(within),
        };
        reply.into_response()
    }

    /// Lets a client that is still writing get as far as the answer.
    fn turn_away(&self, reply: Reply, body: Incoming) -> Reply {
        // One that was too slow already had its time.
        if body.is_end_stream() || reply.status == StatusCode::REQUEST_TIMEOUT {
            return reply;
        }
        let kill = self.shared.kill.clone();
        self.shared.tasks.spawn(async move { kill.run_until_cancelled(body::linger(body)).await });
        reply.closing()
    }
}

/// The handler's work: it outlives the connection, and ends with the listener.
async fn work(shared: Arc<Shared>, entry: Arc<Entry>, delivery: Delivery, run: Run) -> Reply {
    let handled = shared.kill.run_until_cancelled(entry.handler.handle(delivery)).await;
    let reply = handled.unwrap_or_else(stopped).unframed();
    if !reply.status.is_server_error() {
        run.succeed();
    }
    reply
}

fn panicked() -> Reply {
    let error = Error::internal("handling the request failed")
        .hint("Look into the receiving machine's log.");
    Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &error)
}

fn unanswered(within: Duration) -> Reply {
    let text = format!("there is no answer after {} ms; the work goes on", within.as_millis());
    let error = Error::new(Code::Timeout, text).hint("Do not send it again without looking.");
    Reply::error(StatusCode::GATEWAY_TIMEOUT, &error)
}

fn stopped() -> Reply {
    let error =
        Error::new(Code::Cancelled, "the listener was shut down").hint("Send it again later.");
    Reply::error(StatusCode::SERVICE_UNAVAILABLE, &error).retry_after(60)
}
