//! Asserted before ruled before claimed, and what rules may say.

use super::{Attribution, Rules, RulesConfig, Sender, TenantSource};
use crate::event::{CallEvent, Who};
use crate::time::Timestamp;

const RULES: &str = r#"
    [[senders]]
    source = "gateway-eu"
    assert = { tenant = "acme", environment = "production" }

    [[senders]]
    api_key = "key-7"
    assert = { tenant = "globex", team = "search" }

    [[senders]]
    namespace = "partners"
    source = "portal"
    claims_allowed = true

    [[rules]]
    name = "checkout"
    when = { "tag.app" = "checkout" }
    set = { team = "payments", feature = "checkout" }
    copy = { customer = "tag.customer_id" }

    [[rules]]
    name = "globex search"
    when = { tenant = "globex", model = "gpt-5" }
    set = { product = "finder", team = "never, the sender asserts one" }

    [[rules]]
    name = "tenant by tag"
    copy = { tenant = "tag.org", team = "tag.team" }
"#;

fn rules(text: &str) -> Rules {
    let config: RulesConfig = toml::from_str(text).expect("readable rules");
    Rules::new(&config).expect("usable rules")
}

fn event(source: &str, tags: &[(&str, &str)], claims: &[(&str, &str)]) -> CallEvent {
    let mut event = CallEvent::new("evt-1", source, Timestamp::EPOCH, "openai", "gpt-5");
    event.tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    event.who = who(claims);
    event
}

fn who(columns: &[(&str, &str)]) -> Who {
    let mut who = Who::default();
    for (column, value) in columns {
        *who.field_mut(column).expect("a column") = Some((*value).to_owned());
    }
    who
}

fn sender(namespace: &str, claims_allowed: bool, asserted: &[(&str, &str)]) -> Sender {
    Sender { namespace: namespace.to_owned(), asserted: who(asserted), claims_allowed }
}

fn check(
    attribution: &Attribution,
    source: TenantSource,
    columns: &[(&str, &str)],
    claimed: &[(&str, &str)],
) {
    assert_eq!(attribution.tenant_source, source);
    assert_eq!(attribution.who, who(columns));
    let kept: Vec<_> = attribution
        .claimed_who
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(kept, claimed);
}

#[test]
fn nobody_is_unattributed_and_the_refused_claim_is_kept() {
    let event = event("somewhere", &[], &[("tenant", "mallory"), ("team", "red")]);
    check(
        &Rules::default().attribute(&event, &sender("n", false, &[])),
        TenantSource::None,
        &[("tenant", "unattributed"), ("team", "red")],
        &[("tenant", "mallory")],
    );
}

#[test]
fn a_claim_names_the_tenant_where_claims_are_allowed() {
    let event = event("portal", &[], &[("tenant", "initech")]);
    let claimed = [("tenant", "initech")];
    let by_key = Rules::default().attribute(&event, &sender("n", true, &[]));
    check(&by_key, TenantSource::Claimed, &claimed, &[]);
    let by_source = rules(RULES).attribute(&event, &sender("partners", false, &[]));
    check(&by_source, TenantSource::Claimed, &claimed, &[]);
    let elsewhere = rules(RULES).attribute(&event, &sender("strangers", false, &[]));
    check(&elsewhere, TenantSource::None, &[("tenant", "unattributed")], &claimed);
}

#[test]
fn the_credential_wins_over_the_table_of_senders_and_that_over_claims() {
    let event = event("gateway-eu", &[], &[("tenant", "mallory"), ("environment", "test")]);
    check(
        &rules(RULES).attribute(&event, &sender("n", true, &[("tenant", "umbrella")])),
        TenantSource::Asserted,
        &[("tenant", "umbrella"), ("environment", "production")],
        &[("environment", "test"), ("tenant", "mallory")],
    );
    check(
        &rules(RULES).attribute(&event, &sender("n", true, &[])),
        TenantSource::Asserted,
        &[("tenant", "acme"), ("environment", "production")],
        &[("environment", "test"), ("tenant", "mallory")],
    );
}

#[test]
fn an_agreeing_claim_is_kept_as_well() {
    let event = event("gateway-eu", &[], &[("tenant", "acme")]);
    check(
        &rules(RULES).attribute(&event, &sender("n", false, &[])),
        TenantSource::Asserted,
        &[("tenant", "acme"), ("environment", "production")],
        &[("tenant", "acme")],
    );
}

#[test]
fn tags_fill_columns_by_value_and_by_copy() {
    let tags = [("app", "checkout"), ("customer_id", "c-9"), ("team", "late"), ("org", "initech")];
    let event = event("elsewhere", &tags, &[("team", "claimed")]);
    check(
        &rules(RULES).attribute(&event, &sender("n", false, &[])),
        TenantSource::Rule,
        &[
            ("tenant", "initech"),
            ("team", "payments"),
            ("feature", "checkout"),
            ("customer", "c-9"),
        ],
        &[("team", "claimed")],
    );
}

#[test]
fn a_missing_or_empty_tag_fills_nothing() {
    let event = event("elsewhere", &[("app", "checkout"), ("customer_id", "")], &[]);
    check(
        &rules(RULES).attribute(&event, &sender("n", false, &[])),
        TenantSource::None,
        &[("tenant", "unattributed"), ("team", "payments"), ("feature", "checkout")],
        &[],
    );
}

#[test]
fn rules_see_what_is_asserted_and_never_change_it() {
    let event = event("elsewhere", &[], &[("api_key", "key-7")]);
    check(
        &rules(RULES).attribute(&event, &sender("n", false, &[])),
        TenantSource::Asserted,
        &[("tenant", "globex"), ("team", "search"), ("product", "finder"), ("api_key", "key-7")],
        &[],
    );
}

#[test]
fn a_credentials_key_cannot_be_claimed_away() {
    let event = event("elsewhere", &[], &[("api_key", "key-7")]);
    let attribution = rules(RULES).attribute(&event, &sender("n", false, &[("api_key", "key-1")]));
    check(
        &attribution,
        TenantSource::None,
        &[("tenant", "unattributed"), ("api_key", "key-1")],
        &[("api_key", "key-7")],
    );
}

#[test]
fn a_refused_tenant_claim_matches_no_rule() {
    let text = r#"
        [[rules]]
        when = { tenant = "mallory" }
        set = { tenant = "acme" }
    "#;
    let event = event("elsewhere", &[], &[("tenant", "mallory")]);
    check(
        &rules(text).attribute(&event, &sender("n", false, &[])),
        TenantSource::None,
        &[("tenant", "unattributed")],
        &[("tenant", "mallory")],
    );
}

#[test]
fn each_column_says_how_it_is_known() {
    let event = event("gateway-eu", &[("app", "checkout")], &[("team", "red"), ("product", "p")]);
    let attribution = rules(RULES).attribute(&event, &sender("n", true, &[("project", "x")]));
    let known: Vec<_> =
        attribution.sources.iter().map(|(column, source)| (*column, source.name())).collect();
    assert_eq!(
        known,
        [
            ("tenant", "sender"),
            ("team", "rule"),
            ("product", "claim"),
            ("feature", "rule"),
            ("environment", "sender"),
            ("project", "credential"),
        ]
    );
}

#[test]
fn an_attribution_tells_what_was_claimed_and_asserted() {
    let claims: [&[(&str, &str)]; 4] = [
        &[],
        &[("tenant", "acme"), ("team", "red"), ("environment", "production")],
        &[("tenant", "mallory"), ("api_key", "key-7"), ("product", "p"), ("user_id", "")],
        &[("tenant", "globex"), ("team", "search"), ("customer", "c-9")],
    ];
    let tags: [&[(&str, &str)]; 2] = [&[], &[("app", "checkout"), ("customer_id", "c-9")]];
    let asserted: [&[(&str, &str)]; 3] = [&[], &[("tenant", "acme")], &[("api_key", "key-1")]];
    let other = "[[rules]]\nwhen = { team = \"red\" }\nset = { tenant = \"reds\" }";
    for source in ["gateway-eu", "portal", "elsewhere"] {
        for (claims, tags, asserted, allowed) in combined(&claims, &tags, &asserted) {
            let event = event(source, tags, claims);
            let sender = sender("partners", allowed, asserted);
            let first = rules(RULES).attribute(&event, &sender);
            let mut again = event.clone();
            again.who = first.claims();
            let told = first.sender("partners");
            assert_eq!(rules(RULES).attribute(&again, &told), first);
            let fresh = rules(other).attribute(&event, &sender);
            assert_eq!(rules(other).attribute(&again, &told), fresh, "under other rules");
        }
    }
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// Every combination, with and without allowed claims.
fn combined<'a>(
    claims: &'a [Pairs<'a>],
    tags: &'a [Pairs<'a>],
    asserted: &'a [Pairs<'a>],
) -> Vec<(Pairs<'a>, Pairs<'a>, Pairs<'a>, bool)> {
    let mut all = Vec::new();
    for claims in claims {
        for tags in tags {
            for asserted in asserted {
                all.extend([false, true].map(|allowed| (*claims, *tags, *asserted, allowed)));
            }
        }
    }
    all
}

#[test]
fn wrong_rules_say_which_and_what_was_meant() {
    for (text, message) in [
        (
            "[[rules]]\nname = \"a\"\nset = { taem = \"x\" }",
            "rule 1 `a`: `taem` is no column; did you mean `team`",
        ),
        (
            "[[rules]]\nset = { team = \"x\" }\n\
             [[rules]]\nwhen = { sorce = \"x\" }\nset = { team = \"x\" }",
            "rule 2: `sorce` is no field to match or copy; did you mean `source`",
        ),
        (
            "[[rules]]\ncopy = { team = \"tag.\" }",
            "rule 1: `tag.` is no field to match or copy; expected `tag.<key>`, a column such as \
             `team`, or one such as `source`",
        ),
        ("[[rules]]\nset = { team = \"\" }", "rule 1: the value of `team` is empty"),
        (
            "[[rules]]\nwhen = { source = \"x\" }",
            "rule 1: it fills no column; give `set` or `copy`",
        ),
        (
            "[[rules]]\nset = { team = \"x\" }\ncopy = { team = \"tag.t\" }",
            "rule 1: `team` is both set and copied",
        ),
        (
            "[[senders]]\nassert = { tenant = \"x\" }",
            "sender 1: give at least one of `namespace`, `source` and `api_key`",
        ),
        (
            "[[senders]]\nsource = \"x\"",
            "sender 1: it fills no column; give `assert` or `claims_allowed`",
        ),
        (
            "[[senders]]\nsource = \"x\"\nassert = { shoe_size_in_inches = \"x\" }",
            "sender 1: `shoe_size_in_inches` is no column; columns are those of who a call is \
             for, such as `tenant` and `team`",
        ),
    ] {
        let config: RulesConfig = toml::from_str(text).expect("readable rules");
        assert_eq!(Rules::new(&config).expect_err("a wrong rule").to_string(), message);
    }
    assert!(toml::from_str::<RulesConfig>("[[rules]]\nsets = {}").is_err());
}
