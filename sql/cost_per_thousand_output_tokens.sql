-- What do a thousand generated tokens cost, by feature?
-- Columns:
--   feature
--   calls: priced ones only
--   output_tokens
--   usd_per_thousand_output_tokens: all that the calls cost, input too
SELECT coalesce(feature, 'unattributed') AS feature,
    count(*) AS calls,
    sum(total_output_tokens) AS output_tokens,
    1000 * sum(cost_usd) / nullif(sum(total_output_tokens), 0) AS usd_per_thousand_output_tokens
FROM calls
WHERE cost_usd IS NOT NULL
GROUP BY 1
ORDER BY usd_per_thousand_output_tokens DESC NULLS LAST, feature
