-- Which call has this event id, and what was it metered from?
-- Parameters:
--   event_id: the sender's id
--   namespace = '': whose ids are meant; empty for all
--   source = '': which sender's; empty for all
-- Columns:
--   namespace, source, event_id, occurred_at: and all that metering reads of the row
SELECT namespace, source, event_id, occurred_at, provider, api, usage_dialect, request_model,
    response_model, operation, service_tier, region, deployment, context, raw_usage,
    reported_cost_usd, reported_cost_source, error_type, status, gateway_cache_hit, tags, flags,
    tenant, team, product, feature, environment, customer, user_id, business_unit, cost_center,
    project, api_key, claimed_who, who_sources, claims_allowed, tenant_source, cost_usd,
    cost_status, price_book_version
FROM calls
WHERE event_id = $1
    AND ($2 = '' OR namespace = $2)
    AND ($3 = '' OR source = $3)
ORDER BY namespace, source
LIMIT 10
