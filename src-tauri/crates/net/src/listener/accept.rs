//! Taking connections, as many as there is room for.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::connection;
use super::gate::Opening;
use super::shared::Shared;

/// Written as it is: there is no room to speak HTTP with this client.
const FULL: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\n",
    "content-length: 130\r\n",
    "retry-after: 5\r\n",
    "connection: close\r\n\r\n",
    r#"{"error":{"code":"RATE_LIMITED","message":"too many connections are open","#,
    r#""hint":"Close some, or send over those that are open."}}"#
);
/// Those who are told that there is no room take some too.
const TURNED_AWAY_AT_ONCE: usize = 16;
const FAREWELL: Duration = Duration::from_millis(500);
/// Out of file descriptors, most likely: some come back with time.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Serves until the opening is stopped, the listener ends, or no route is left.
pub(super) async fn run(shared: Arc<Shared>, opening: Arc<Opening>, socket: TcpListener) {
    let _closed = Arc::clone(&opening).closed.clone().drop_guard();
    let mut socket = Some(socket);
    let turned_away = Arc::new(tokio::sync::Semaphore::new(TURNED_AWAY_AT_ONCE));
    while let Some(open) = &socket {
        tokio::select! {
            taken = open.accept() => match taken {
                Ok((stream, _)) => admit(&shared, &opening, &turned_away, stream),
                Err(error) => {
                    tracing::warn!(%error, "a connection for a webhook could not be taken");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            },
            () = opening.stop.cancelled() => return,
            () = shared.kill.cancelled() => return,
            () = opening.unused.notified() => shared.close_if_unused(&opening, &mut socket),
        }
    }
}

fn admit(
    shared: &Arc<Shared>,
    opening: &Opening,
    turned_away: &Arc<tokio::sync::Semaphore>,
    stream: TcpStream,
) {
    // Replies are small and whole: waiting to fill a packet only delays them.
    _ = stream.set_nodelay(true);
    match Arc::clone(&shared.rooms).try_acquire_owned() {
        Ok(room) => {
            let serving = connection::serve(Arc::clone(shared), opening.stop.clone(), stream);
            shared.tasks.spawn(async move {
                serving.await;
                drop(room);
            });
        }
        Err(_) => {
            shared.crowded();
            // Beyond these the connection is closed without a word.
            if let Ok(place) = Arc::clone(turned_away).try_acquire_owned() {
                let kill = shared.kill.clone();
                shared.tasks.spawn(async move {
                    turn_away(stream, kill).await;
                    drop(place);
                });
            }
        }
    }
}

async fn turn_away(mut stream: TcpStream, kill: CancellationToken) {
    let farewell = async {
        stream.write_all(FULL.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread would reset the connection and take the answer with it.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    };
    tokio::select! {
        _ = tokio::time::timeout(FAREWELL, farewell) => {}
        () = kill.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_one_too_many_is_whole() {
        let (head, body) = FULL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["error"]["code"], devrig_core::Code::RateLimited.as_str());
    }
}
