//! The server's life: it starts, and it leaves within a stated time.
//!
//! Leaving: readiness says 503 and doors take nothing; a notice for load balancers; no new
//! connections; requests under way finish, or are dropped at the end of the drain.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::ApiError;
use super::listen::Limited;
use super::router::router;
use super::state::App;

/// Serves until `shutdown`, and returns once requests are finished or their time is over.
///
/// # Errors
/// [`ApiError`] when it cannot start or the listener breaks.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), ApiError> {
    let config = &app.state.config;
    let (notice, drain) = (config.shutdown_notice.0, config.shutdown_drain.0);
    let limited = Limited::new(listener, config.connections_max, config.connection_silence_max);
    let keys = tokio::spawn(refresh_keys(app.clone(), shutdown.clone()));
    let closing = CancellationToken::new();
    let served = axum::serve(limited, router(app.clone()))
        .with_graceful_shutdown(closing.clone().cancelled_owned());
    let left = async {
        shutdown.cancelled().await;
        app.stop();
        tokio::time::sleep(notice).await;
        closing.cancel();
        tokio::time::sleep(drain).await;
    };
    let result = tokio::select! {
        served = served => served.map_err(ApiError::from),
        () = left => Ok(()),
    };
    keys.abort();
    result
}

/// Reads the keys again from time to time: another instance may have made or revoked some.
async fn refresh_keys(app: Arc<App>, shutdown: CancellationToken) {
    let pause = app.state.config.keys_refresh.0;
    while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        if let Err(error) = app.state.keys.refresh().await {
            tracing::warn!(%error, "the API keys at hand stay in use");
        }
    }
}
