//! A real LiteLLM proxy posts to `/v1/litellm`.

use std::time::Duration;

use serde_json::json;

use crate::parts::litellm::{LiteLlm, MASTER_KEY};
use crate::server::Server;

async fn call(proxy: &LiteLlm, model: &str, question: &str) {
    let body = json!({"model": model, "user": "customer-1",
        "messages": [{"role": "user", "content": question}],
        "metadata": {"tags": ["feature:search"]}});
    let answer = reqwest::Client::new()
        .post(format!("{}/chat/completions", proxy.url))
        .bearer_auth(MASTER_KEY)
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_calls_are_in_sql_with_their_exact_cost() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(&dir.path().join("data"), &[]).await;
    let door = format!("{}/v1/litellm", server.url);
    let Some(proxy) = LiteLlm::start(dir.path(), &door) else { return };
    call(&proxy, "gpt-4o-mini", "CANARY: what is the weather like?").await;
    call(&proxy, "gpt-4o-mini", "CANARY: what is the weather like?").await;
    call(&proxy, "house-model", "CANARY: and tomorrow?").await;
    server.wait_for("SELECT count(*) FROM calls", "3", Duration::from_secs(10)).await;
    let priced = server
        .rows(
            "SELECT total_input_tokens, total_output_tokens, cost_usd, customer, feature \
             FROM calls WHERE cost_status = 'priced'",
        )
        .await;
    assert_eq!(priced.len(), 1, "{priced:?}");
    let (input, output) = (priced[0][0].as_i64().unwrap(), priced[0][1].as_i64().unwrap());
    assert!(input > 0 && output > 0);
    // 0.15 and 0.60 USD per million tokens: 150,000 and 600,000 picodollars a token.
    let expected =
        tokenmeter::money::Usd::from_pico(i128::from(input * 150_000 + output * 600_000));
    assert_eq!(priced[0][2], json!(expected.to_string()));
    assert_eq!((&priced[0][3], &priced[0][4]), (&json!("customer-1"), &json!("search")));
    let hits = server
        .rows(
            "SELECT cost_usd, total_input_tokens FROM calls \
             WHERE cost_status = 'gateway_cache_hit'",
        )
        .await;
    assert_eq!(hits, [vec![json!("0"), json!(input)]], "a cached call costs nothing, tokens kept");
    let unknown = server.rows("SELECT cost_usd FROM calls WHERE cost_status = 'unpriced'").await;
    assert_eq!(unknown, [vec![json!(null)]], "an unknown model is NULL, not zero");
    assert!(!server.log().contains("CANARY"));
}
