//! What real LiteLLM proxies posted, where `../shared` has it.

use std::path::Path;

use serde_json::Value;

use super::Server;
use crate::event::{Envelope, EnvelopeBody};

#[tokio::test]
async fn real_litellm_posts_are_taken_whole() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for name in ["litellm_1.106.2_generic_api_post.json", "litellm_1.109.1_generic_api_batch.json"]
    {
        let Ok(body) = std::fs::read_to_string(data.join(name)) else { continue };
        // One of them is kept with its headers.
        let post: Value = serde_json::from_str(&body).expect("JSON");
        let body = post.get("body").map_or(body, Value::to_string);
        let server = Server::new().await;
        let answer = server.post("/v1/litellm", &[], &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.json()["rejected"], 0, "{}", answer.text());
        let entries = server.log.entries.lock().expect("no panic");
        assert!(!entries.is_empty());
        for entry in entries.iter() {
            let envelope = Envelope::decode(&entry.payload).expect("an envelope");
            assert!(matches!(envelope.body, EnvelopeBody::Event(event)
                if event.provider == "litellm_proxy" || event.usage_dialect.is_some()));
            assert!(!String::from_utf8_lossy(&entry.payload).contains("\"messages\""));
        }
    }
}
