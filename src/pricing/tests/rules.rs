//! The pricing rules, one test each, where no other file of this folder has it: the chain of
//! fallbacks, operators, lifetimes, literals and factors, times of day.

use serde_json::{Value, json};

use super::{book, event, usage};

fn check(text: &str, fields: Value, counts: Value, amount: &str, flags: &[&str]) {
    let mut fields = fields;
    fields["model"] = fields.get("model").cloned().unwrap_or_else(|| "m".into());
    let cost = book(text).rate(&event(&fields), &usage(&counts), None);
    let told = cost.cost.map_or_else(|| cost.status.name().to_owned(), |cost| cost.to_string());
    assert_eq!(told, amount, "{fields} {counts}");
    assert_eq!(cost.flags.iter().collect::<Vec<_>>(), flags, "{fields} {counts}");
}

fn tier(tier: &str) -> Value {
    json!({ "service_tier": tier })
}

#[test]
fn the_chain_of_fallbacks_has_its_order_and_says_each_step() {
    let text = "
        provider = 'openai'
        [[model]]
        name = 'm'
        rates = { input_text = '1', output_text = '2', citation = '3' }
        tiers.flex = { citation = '0.1' }
        [[model.variant]]
        context = { above = 100 }
        rates = { input_text = '10', output_text = '20' }
        tiers.batch = { input_text = '5' }
    ";
    let long = |class: &str| {
        let mut counts = json!({ "input_tool": 101 });
        counts[class] = 100.into();
        counts
    };
    // Both at the batch rate of the long tier: the vendor says that flex is priced as batch.
    check(text, tier("flex"), json!({ "input_text": 101 }), "0.000505", &["rate_fallback:batch"]);
    let flags = ["rate_fallback:batch", "rate_fallback:standard"];
    check(text, tier("flex"), long("output_text"), "0.002505", &flags);
    // The last step is the standard rate without a tier, never another tier's short one.
    let flags = ["rate_fallback:base", "rate_fallback:batch"];
    check(text, tier("flex"), long("citation"), "0.000805", &flags);
    check(text, tier("flex"), json!({ "citation": 100 }), "0.00001", &[]);
}

#[test]
fn a_threshold_is_above_from_or_a_range_as_its_row_says() {
    let with = |context: &str| {
        format!(
            "provider = 'openai'\n[[model]]\nname = 'm'\n\
             rates = {{ input_text = '1', output_text = '1' }}\n[[model.variant]]\n\
             context = {{ {context} }}\nrates = {{ input_text = '2', output_text = '3' }}"
        )
    };
    for (context, prompt, amount) in [
        ("above = 100", 100, "0.000101"),
        ("above = 100", 101, "0.000205"),
        ("from = 100", 99, "0.0001"),
        ("from = 100", 100, "0.000203"),
        ("above = 100, to = 200", 100, "0.000101"),
        ("above = 100, to = 200", 200, "0.000403"),
        ("above = 100, to = 200", 201, "0.000202"),
    ] {
        let counts = json!({ "input_text": prompt, "output_text": 1 });
        check(&with(context), json!({}), counts, amount, &[]);
    }
    // Reads, writes and tool results are part of the prompt; output is not.
    let parts = json!({ "input_text": 40, "input_tool": 30, "cache_read_text": 31 });
    check(&with("above = 100"), json!({}), parts, "0.000202", &["rate_fallback:input_text"]);
    let output = json!({ "input_text": 100, "output_text": 1_000 });
    check(&with("above = 100"), json!({}), output, "0.0011", &[]);
}

#[test]
fn a_cache_write_has_the_rate_of_its_lifetime() {
    let text = "
        provider = 'openai'
        [[model]]
        name = 'm'
        rates = { input_text = '1', cache_write = '1.25', cache_write_1h = '2' }
        [[model]]
        name = 'bare'
        rates = { input_text = '1' }
    ";
    for (class, amount, flags) in [
        ("cache_write_5m", "0.000125", &[][..]),
        ("cache_write_30m", "0.000125", &[]),
        ("cache_write_1h", "0.0002", &[]),
        ("cache_write_12h", "0.000125", &["rate_fallback:cache_write"]),
        ("cache_write", "0.000125", &[]),
    ] {
        check(text, json!({}), json!({ class: 100 }), amount, flags);
        let bare = json!({ "model": "bare" });
        check(text, bare, json!({ class: 100 }), "0.0001", &["rate_fallback:input_text"]);
    }
}

#[test]
fn a_literal_beats_a_factor_and_a_factor_multiplies_the_standard_rate() {
    let text = "
        provider = 'openai'
        [[model]]
        name = 'm'
        rates = { input_text = '3.75', output_text = '15' }
        [[model.variant]]
        tier = 'batch'
        rates = { input_text = '2.225' }
        factors = { input_text = '0.5', output_text = '0.5' }
    ";
    let counts = json!({ "input_text": 1_000, "output_text": 1_000 });
    check(text, tier("batch"), counts.clone(), "0.009725", &[]);
    check(text, json!({}), counts, "0.01875", &[]);
}

#[test]
fn off_peak_hours_replace_the_rates_in_their_zone() {
    let text = "
        provider = 'openai'
        [[model]]
        name = 'm'
        rates = { input_text = '2', cache_read_text = '1' }
        [[model.variant]]
        hours = { windows = ['22:00-02:00'], weekdays = [5], zone = '+08:00' }
        rates = { input_text = '0.5' }
    ";
    // Friday the 20th, 22:00 at +08:00, is 14:00 in UTC; the window wraps into Saturday.
    for (at, amount) in [
        ("2026-11-20T13:59:59.999999Z", "0.002"),
        ("2026-11-20T14:00:00Z", "0.0005"),
        ("2026-11-20T17:59:59.999999Z", "0.0005"),
        ("2026-11-20T18:00:00Z", "0.002"),
        ("2026-11-21T14:00:00Z", "0.002"),
    ] {
        for zone in ["+08:00", "Asia/Shanghai"] {
            let text = text.replace("+08:00", zone);
            check(&text, json!({ "occurred_at": at }), json!({ "input_text": 1_000 }), amount, &[]);
        }
    }
    // A class without an off-peak rate keeps its own.
    let off_peak = json!({ "occurred_at": "2026-11-20T14:00:00Z" });
    check(text, off_peak, json!({ "cache_read_text": 1_000 }), "0.001", &[]);
}

#[test]
fn units_have_their_own_basis_and_zero_rows_are_free() {
    let text = "
        provider = 'openai'
        [[model]]
        name = 'm'
        rates = { audio_seconds = '0.006 / 60', web_fetch_call = '0', input_text = '1' }
        tiers.batch = { input_text = '0.5' }
    ";
    let cost = book(text).rate(
        &event(&json!({ "model": "m" })),
        &usage(&json!({ "web_fetch_call": 3 })),
        None,
    );
    assert_eq!(cost.status.name(), "free");
    check(text, json!({}), json!({ "audio_seconds": 90 }), "0.009", &[]);
    // Fees have no batch discount.
    let counts = json!({ "audio_seconds": 90, "input_text": 1_000 });
    check(text, tier("batch"), counts, "0.0095", &[]);
}
