-- Which models have no price, and how much of the traffic is that?
-- Columns: provider, response_model, calls, tokens, share_of_calls (percent of all calls).
SELECT provider,
    response_model,
    count(*) AS calls,
    sum(total_input_tokens + total_output_tokens) AS tokens,
    CAST(100 * count(*) AS DECIMAL(20, 4)) / (SELECT count(*) FROM calls) AS share_of_calls
FROM calls
WHERE cost_status = 'unpriced'
GROUP BY 1, 2
ORDER BY calls DESC, response_model, provider
