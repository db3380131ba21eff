-- Which calls does somebody report at another cost than the price book makes of them?
-- Columns:
--   occurred_at, event_id, provider, model
--   cost_status: `provider_reported` where the reported figure is the one that counts
--   reported_cost_source: who reports
--   reported_cost_usd
--   computed_cost_usd: NULL where the book cannot price it; these come last
--   difference_usd: reported less computed
--   difference_percent: of the computed cost
SELECT occurred_at,
    event_id,
    provider,
    coalesce(priced_model, response_model) AS model,
    cost_status,
    reported_cost_source,
    reported_cost_usd,
    computed_cost_usd,
    reported_cost_usd - computed_cost_usd AS difference_usd,
    CAST(CAST(100 * (reported_cost_usd - computed_cost_usd) AS DECIMAL(26, 12))
        / nullif(computed_cost_usd, 0) AS DECIMAL(24, 4)) AS difference_percent
FROM calls
WHERE reported_cost_usd IS NOT NULL
    AND (computed_cost_usd IS NULL OR computed_cost_usd <> reported_cost_usd)
ORDER BY abs(reported_cost_usd - computed_cost_usd) DESC NULLS LAST, occurred_at, event_id, source,
    namespace
