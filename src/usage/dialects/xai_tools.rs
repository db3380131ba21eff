//! Tools that xAI runs: a fee for each call that succeeded.
//!
//! <https://docs.x.ai/developers/pricing> lists the fees,
//! <https://docs.x.ai/developers/tools/tool-usage-details> says which calls count (read
//! 2026-11-23).

use crate::event::Rejection;
use crate::usage::block::Block;
use crate::usage::reading::Units;

const CALLS: [(&str, &str); 5] = [
    ("web_search_calls", "web_search_call"),
    ("x_search_calls", "x_search_call"),
    ("code_interpreter_calls", "code_interpreter_call"),
    ("file_search_calls", "file_search_call"),
    ("document_search_calls", "document_search_call"),
];

/// The billed tool calls of a block.
pub(super) fn units(block: &Block) -> Result<Units, Rejection> {
    let details = block.section("server_side_tool_usage_details")?;
    CALLS.into_iter().map(|(field, unit)| Ok((unit, details.tokens(field)?))).collect()
}
