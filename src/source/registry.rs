//! The schema registry's client, and the decoders made of its schemas.
//!
//! Ids are cached up to a limit. The registry is down or slow: an error that may pass, and the
//! partition waits. It does not know an id: asked again for a minute, then the messages are
//! rejected.

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
    /// The registry does not know it; asked first at this time.
    Unknown(Timestamp),
}

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
        let first_asked = match self.known.get(&id) {
            Some(Known::Schema(decoder)) => return Ok(decoder.clone()),
            Some(Known::Unknown(since)) => *since,
            None => self.clock.now(),
        };
        let Some(url) = &self.config.url else {
            let message = format!("schema {id}: no schema registry is configured");
            return Ok(Err(Rejection::new(RejectionCode::UnknownSchema, message)));
        };
        if self.known.len() >= self.config.schemas_max {
            self.known.clear();
        }
        match self.ask(url, &id).await? {
            Some(schema) => {
                let decoder = AvroDecoder::new(&schema).map(Arc::new);
                self.known.insert(id, Known::Schema(decoder.clone()));
                Ok(decoder)
            }
            None => {
                self.known.insert(id.clone(), Known::Unknown(first_asked));
                let waited = self.clock.now().micros_since(first_asked);
                let message = format!("the schema registry does not know schema {id}");
                if waited >= self.config.unknown_for.micros() {
                    return Ok(Err(Rejection::new(RejectionCode::UnknownSchema, message)));
                }
                Err(SourceError::Retryable { what: "decoding Avro".to_owned(), why: message })
            }
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
            reqwest::StatusCode::NOT_FOUND => Ok(None),
            status => Err(down(format!("it answered {status}"))),
        }
    }
}
