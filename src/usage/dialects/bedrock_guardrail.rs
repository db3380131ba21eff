//! Bedrock guardrails: units of each policy, among them free ones.
//!
//! `GuardrailUsage` in
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailUsage.html> (read
//! 2026-11-23).

use crate::event::{CallEvent, Rejection};
use crate::usage::Tokens;
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

const UNITS: [(&str, &str); 8] = [
    ("topicPolicyUnits", "guardrail_topic"),
    ("contentPolicyUnits", "guardrail_content"),
    ("contentPolicyImageUnits", "guardrail_content_image"),
    ("wordPolicyUnits", "guardrail_word"),
    ("sensitiveInformationPolicyUnits", "guardrail_pii"),
    ("sensitiveInformationPolicyFreeUnits", "guardrail_pii_free"),
    ("contextualGroundingPolicyUnits", "guardrail_contextual_grounding"),
    ("automatedReasoningPolicyUnits", "guardrail_automated_reasoning"),
];

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "bedrock/apply_guardrail",
    providers: &["bedrock", "aws_bedrock", "amazon_bedrock", "aws.bedrock"],
    apis: &["apply_guardrail", "ApplyGuardrail"],
    fits: |fields| UNITS.iter().any(|(field, _)| fields.any(&[field])),
    tells: |fields| UNITS.iter().any(|(field, _)| fields.any(&[field])),
    read,
    ..PLAIN
};

fn read(block: &Block, _event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    reading.push(Tokens::default());
    for (field, unit) in UNITS {
        reading.add_units([(unit, block.tokens(field)?)]);
    }
    Ok(reading)
}
