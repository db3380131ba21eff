-- What was spent, by any columns and time?
-- A frame: `GET /v1/costs` and `tokenmeter costs` put groups, conditions and order in the marked
-- places.
-- Columns:
--   the groups; with an interval period_start, and with a time zone period_local, by its clocks
--   calls, priced_calls, unpriced_calls
--   cost_usd: of priced calls
--   total_input_tokens, total_output_tokens, unpriced_tokens
SELECT /* groups */
    count(*) AS calls,
    count(cost_usd) AS priced_calls,
    count(*) FILTER (WHERE cost_status = 'unpriced') AS unpriced_calls,
    sum(cost_usd) AS cost_usd,
    sum(total_input_tokens) AS total_input_tokens,
    sum(total_output_tokens) AS total_output_tokens,
    sum(total_input_tokens + total_output_tokens) FILTER (WHERE cost_status = 'unpriced')
        AS unpriced_tokens
FROM calls
WHERE /* conditions */
/* grouping */
/* order */
