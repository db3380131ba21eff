-- Where does the computed cost differ from the reported one by more than 1 %?
-- Columns: provider, model, who reported it, calls, both sums, the difference. Computed is what price
-- rows make of a call, also where the reported figure is the one that counts.
SELECT provider, model, reported_cost_source, calls, computed_cost_usd, reported_cost_usd,
    computed_cost_usd - reported_cost_usd AS difference_usd
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
