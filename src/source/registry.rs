//! The schema registry's client, and the decoders made of its schemas.
//!
//! Ids are cached up to a limit. The registry is down or slow: an error that may pass, and the
//! partition waits. It does not know an id: asked again for a minute, a second apart, then the
//! messages are rejected.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::config::RegistryConfig;
use super::{Message, SourceError};
use crate::event::{AvroDecoder, Rejection, RejectionCode, SchemaId, WireFormat};
use crate::time::{Clock, Timestamp};

/// What a schema id stands for.
#[derive(Debug, Clone)]
enum Known {
    /// A schema whose events can be read, or why they cannot.
    Schema(Result<Arc<AvroDecoder>, Rejection>),
    /// The registry does not know it.
    Unknown {
        /// When it was asked first.
        first_asked: Timestamp,
        /// When it was asked last.
        last_asked: Timestamp,
    },
}

/// An id that is not known is asked for once in this time, however many messages carry it.
const ASK_AGAIN_MICROS: i64 = 1_000_000;
/// An id that nobody has carried for this long is as if it were new, at the earliest.
const FORGET_MICROS: i64 = 60_000_000;
/// What a registry answers, with status 404, for an id that it does not know; any other 404 comes
/// from something that is not a registry.
/// <https://docs.confluent.io/platform/current/schema-registry/develop/api.html>, read 2026-11-23.
const NOT_FOUND_CODES: [u32; 3] = [40_401, 40_402, 40_403];

/// Decoders by schema id.
#[derive(Debug)]
pub struct AvroDecoders {
    config: RegistryConfig,
    client: reqwest::Client,
    known: HashMap<SchemaId, Known>,
    clock: Arc<dyn Clock>,
}

/// The registry's answer.
#[derive(Debug, Deserialize)]
struct SchemaAnswer {
    schema: String,
}

/// The registry's answer when something is wrong.
#[derive(Debug, Deserialize)]
struct ErrorAnswer {
    error_code: u32,
}

impl AvroDecoders {
    /// Decoders of the configured registry.
    ///
    /// # Errors
    /// [`SourceError::Fatal`] when no HTTP client can be made.
    pub fn new(config: RegistryConfig, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let client = reqwest::Client::builder().timeout(config.timeout.0).build();
        let client = client.map_err(|error| SourceError::Fatal(error.to_string()))?;
        Ok(Self { config, client, known: HashMap::new(), clock })
    }

    /// The decoder of a message and the Avro bytes in it; `None` when the message is JSON.
    ///
    /// # Errors
    /// [`SourceError::Retryable`] when the registry cannot be asked, or does not know the id yet.
    pub async fn decoder_for<'a>(
        &mut self,
        message: &Message,
        payload: &'a [u8],
    ) -> Result<Option<Result<(Arc<AvroDecoder>, &'a [u8]), Rejection>>, SourceError> {
        let headers = message.headers.iter().map(|(key, value)| (key.as_str(), value.as_ref()));
        let format = match WireFormat::of(headers, payload) {
            Ok(format) => format,
            Err(rejection) => return Ok(Some(Err(rejection))),
        };
        let WireFormat::Avro { schema, body } = format else { return Ok(None) };
        let decoder = self.decoder(schema).await?;
        Ok(Some(decoder.map(|decoder| (decoder, body))))
    }

    async fn decoder(
        &mut self,
        id: SchemaId,
    ) -> Result<Result<Arc<AvroDecoder>, Rejection>, SourceError> {
        let now = self.clock.now();
        let unknown_for = self.config.unknown_for.micros();
        let (first_asked, is_asked_again) = match self.known.get(&id) {
            Some(Known::Schema(decoder)) => return Ok(decoder.clone()),
            // The minute runs while messages wait; much later a new one begins.
            Some(Known::Unknown { first_asked, last_asked })
                if now.micros_since(*last_asked) <= unknown_for.max(FORGET_MICROS) =>
            {
                (*first_asked, now.micros_since(*last_asked) >= ASK_AGAIN_MICROS)
            }
            Some(Known::Unknown { .. }) | None => (now, true),
        };
        if is_asked_again {
            let Some(url) = &self.config.url else {
                let message = format!("schema {id}: no schema registry is configured");
                return Ok(Err(Rejection::new(RejectionCode::UnknownSchema, message)));
            };
            let schema = self.ask(url, &id).await?;
            self.make_room(&id);
            if let Some(schema) = schema {
                let decoder = AvroDecoder::new(&schema).map(Arc::new);
                self.known.insert(id, Known::Schema(decoder.clone()));
                return Ok(decoder);
            }
            self.known.insert(id.clone(), Known::Unknown { first_asked, last_asked: now });
        }
        let message = format!("the schema registry does not know schema {id}");
        if now.micros_since(first_asked) >= unknown_for {
            return Ok(Err(Rejection::new(RejectionCode::UnknownSchema, message)));
        }
        Err(SourceError::Retryable { what: "decoding Avro".to_owned(), why: message })
    }

    /// Forgets schemas, which can be asked for again, before ids whose minute runs.
    fn make_room(&mut self, id: &SchemaId) {
        if self.known.len() < self.config.schemas_max || self.known.contains_key(id) {
            return;
        }
        self.known.retain(|_, known| matches!(known, Known::Unknown { .. }));
        if self.known.len() >= self.config.schemas_max {
            self.known.clear();
        }
    }

    /// The schema of that id; `None` when the registry does not know it.
    async fn ask(&self, url: &str, id: &SchemaId) -> Result<Option<String>, SourceError> {
        let what = || format!("asking the schema registry for schema {id}");
        let down = |why: String| SourceError::Retryable { what: what(), why };
        let request = self.client.get(format!("{}/{}", url.trim_end_matches('/'), id.path()));
        let request = match &self.config.username {
            Some(user) => {
                request.basic_auth(user, self.config.password.as_ref().map(|p| p.reveal()))
            }
            None => request,
        };
        let answer = request.send().await.map_err(|error| down(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => {
                let answer: SchemaAnswer =
                    answer.json().await.map_err(|error| down(error.to_string()))?;
                Ok(Some(answer.schema))
            }
            status => {
                let error: Option<ErrorAnswer> = answer.json().await.ok();
                match error.map(|error| error.error_code) {
                    Some(code) if NOT_FOUND_CODES.contains(&code) => Ok(None),
                    _ => Err(down(format!(
                        "the answer was {status}; is `source.registry.url` right?"
                    ))),
                }
            }
        }
    }
}
