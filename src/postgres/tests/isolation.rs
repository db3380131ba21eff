//! A tenant's answers are the same bytes on this wire, too, whether or not others have rows.

use super::client::{Client, Message, code};
use super::wire::Wire;
use crate::api::tests::isolation::{TIMES_MS, statements};
use crate::query::QueryConfig;
use crate::query::tests::neighbours::{self, Others};
use crate::setting::{ByteSize, Span};

const HOSTILE: &str = include_str!("../../query/tests/hostile.sql");
/// What this wire adds: a catalogue and its functions.
const CATALOGUE: &str = include_str!("catalogue.sql");

async fn house(others: Others) -> (Wire, Client) {
    let config = QueryConfig {
        timeout: Span::millis(90_000),
        memory: ByteSize(64 << 20),
        rows_max: 5_000,
        ..QueryConfig::default()
    };
    let wire = Wire::over(neighbours::lake(others).await, config).await;
    let (client, _) = wire.of_acme().await;
    (wire, client)
}

fn names_a_neighbour(messages: &[Message]) -> bool {
    messages.iter().any(|message| String::from_utf8_lossy(&message.body).contains("globex"))
}

fn timed_out(messages: &[Message]) -> bool {
    code(messages) == "57014"
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_learns_of_others() {
    let (_alone, mut alone) = house(Others::Absent).await;
    let (_apart, mut apart) = house(Others::Apart).await;
    let (_mixed, mut mixed) = house(Others::Mixed).await;
    let statements = [statements(HOSTILE), statements(CATALOGUE)].concat();
    assert!(statements.len() >= 180, "{}", statements.len());
    let mut leaks = Vec::new();
    for sql in &statements {
        let mut answers = Vec::new();
        for timeout_ms in TIMES_MS {
            answers.clear();
            for house in [&mut alone, &mut apart, &mut mixed] {
                let set =
                    house.ask(&format!("ROLLBACK; SET statement_timeout = {timeout_ms}")).await;
                assert_eq!(code(&set), "", "{set:?}");
                answers.push(house.ask(sql).await);
            }
            // One that ends near its deadline may miss it here or there: it gets all the time.
            let long = answers.iter().filter(|answer| timed_out(answer)).count();
            if long == 0 || long == answers.len() {
                break;
            }
        }
        let [expected, others @ ..] = answers.as_slice() else { unreachable!() };
        for (found, place) in others.iter().zip(["apart", "mixed"]) {
            if found != expected {
                leaks.push(format!("{place}: {sql}\n  {expected:?}\n  {found:?}"));
            }
            if names_a_neighbour(found) && !sql.contains("globex") {
                leaks.push(format!("{place}: {sql} names a neighbour"));
            }
        }
        assert_eq!(expected.last().map(|last| last.kind), Some('Z'), "{sql}: {expected:?}");
        assert_ne!(code(expected), "XX000", "{sql}: {expected:?}");
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}
