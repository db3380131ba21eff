-- How long does a call of each model take, and how many tokens does it read and write?
-- Columns:
--   provider, model, calls
--   p50_ms, p95_ms: approximately
--   input_tokens_per_call, output_tokens_per_call
SELECT provider,
    coalesce(priced_model, response_model) AS model,
    count(*) AS calls,
    CAST(approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS BIGINT) AS p50_ms,
    CAST(approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS BIGINT) AS p95_ms,
    sum(total_input_tokens) / nullif(count(total_input_tokens), 0) AS input_tokens_per_call,
    sum(total_output_tokens) / nullif(count(total_output_tokens), 0) AS output_tokens_per_call
FROM calls
GROUP BY 1, 2
ORDER BY calls DESC, provider, model
