-- Where does the computed cost differ from the reported one by more than 1 %?
-- Columns:
--   provider, model
--   reported_cost_source: who reported it
--   calls: those with both figures
--   computed_cost_usd: what price rows make of them, also where the reported figure is the one that
--     counts
--   reported_cost_usd
--   difference_usd: computed less reported
--   percent: of the reported cost
SELECT provider, model, reported_cost_source, calls, computed_cost_usd, reported_cost_usd,
    computed_cost_usd - reported_cost_usd AS difference_usd,
    CAST(100.0 * CAST(computed_cost_usd - reported_cost_usd AS DECIMAL(24, 8))
        / nullif(CAST(reported_cost_usd AS DECIMAL(24, 8)), 0) AS DECIMAL(24, 4)) AS percent
FROM (
    SELECT provider,
        coalesce(priced_model, response_model) AS model,
        reported_cost_source,
        count(*) AS calls,
        sum(computed_cost_usd) AS computed_cost_usd,
        sum(reported_cost_usd) AS reported_cost_usd
    FROM calls
    WHERE computed_cost_usd IS NOT NULL AND reported_cost_usd IS NOT NULL
    GROUP BY 1, 2, 3
) AS compared
WHERE abs(computed_cost_usd - reported_cost_usd) * 100 > abs(reported_cost_usd)
ORDER BY abs(computed_cost_usd - reported_cost_usd) DESC, model, provider, reported_cost_source
