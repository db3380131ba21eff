-- Which calls does somebody report at another cost than the price book makes of them?
-- Columns: the call's time, event_id, provider, model, cost_status (`provider_reported`: the reported
-- figure is `cost_usd`), who reports, both costs, the reported minus the computed one, and that as
-- percent of the computed one. Calls that the book cannot price come last, with NULL.
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
ORDER BY abs(reported_cost_usd - computed_cost_usd) DESC NULLS LAST, occurred_at, event_id
