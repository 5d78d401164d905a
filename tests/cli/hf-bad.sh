# config.json of folders that are not as transformers writes them: what is not there, is of another kind, or asks for what is not
# done is refused, exit code 1 or 3, and what is said names the file and the entry in it. Those that are only unusual load.
# A line for each: what it is about, and the first line of what is said.
. cli/runtime/judged.sh
family=gpt2
for key in n_head n_embd n_layer n_positions model_type; do bad config.json $key "/\"$key\"/d"; done
for key in n_head n_embd n_layer n_positions vocab_size; do
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": \"8\"/"
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": -8/"
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": 0/"
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": 2.5/"
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": null/"
done
for key in n_embd vocab_size n_positions; do bad config.json $key "s/\"$key\": [0-9]*/\"$key\": 1000000000000000000/"; done
elsewhere config.json "'bad'" wpe.weight 's/"n_positions": 1030/"n_positions": 1031/'
elsewhere config.json "'bad'" h.2.attn 's/"n_layer": 2/"n_layer": 3/'
elsewhere config.json "'bad'" h.1.attn 's/"n_layer": 2/"n_layer": 1/'
bad config.json n_head 's/"n_head": 4/"n_head": [4]/'
bad config.json n_head 's/"n_head": 4/"n_head": 5/'
bad config.json n_embd 's/"n_embd": 24/"n_embd": 1e30/'
bad config.json n_embd 's/"n_embd": 24/"n_embd": 1e400/'
bad config.json n_embd 's/"n_embd": 24/"n_embd": NaN/'
bad config.json n_embd 's/"n_embd": 24/"n_embd": 99999999999999999999/'
bad config.json n_embd 's/"n_embd": 24/"n_embd": 24, "n_embd": 24/'
bad config.json n_embd 's/"n_embd": 24/"n_embd": 028/'
elsewhere config.json "'bad'" wte.weight 's/"vocab_size": 67/"vocab_size": 68/'
bad config.json n_inner 's/"n_inner": null/"n_inner": "96"/'
elsewhere config.json "'bad'" c_fc 's/"n_inner": null/"n_inner": 95/'
bad config.json activation_function 's/"gelu_new"/"gelu_fast"/'
bad config.json activation_function 's/"gelu_new"/7/'
bad config.json layer_norm_epsilon 's/1e-05/"1e-05"/'
bad config.json layer_norm_epsilon 's/1e-05/-1e-05/'
bad config.json tie_word_embeddings 's/"tie_word_embeddings": true/"tie_word_embeddings": false/'
bad config.json scale_attn_weights 's/"scale_attn_weights": true/"scale_attn_weights": false/'
bad config.json scale_attn_by_inverse_layer_idx 's/\(inverse_layer_idx": \)false/\1true/'
bad config.json add_cross_attention 's/\(add_cross_attention": \)false/\1true/'
bad config.json model_type 's/"model_type": "gpt2"/"model_type": "mamba"/'
bad config.json model_type 's/"model_type": "gpt2"/"model_type": null/'
bad config.json model_type 's/"model_type": "gpt2"/"model_type": ["gpt2"]/'
bad config.json model_type 's/"model_type": "gpt2"/"model_type": "llama"/'
elsewhere config.json tokenizer.json 5000 's/"eos_token_id": 1/"eos_token_id": 5000/'
bad config.json eos_token_id 's/"eos_token_id": 1/"eos_token_id": -1/'
bad config.json eos_token_id 's/"eos_token_id": 1/"eos_token_id": [1, "x"]/'
bad config.json quantization_config 's/"n_head"/"quantization_config": {"bits": 4}, "n_head"/'
bad config.json ':2:' '1s/{/[/'
bad config.json ':3' '$s/}//'
bad config.json ':1:' '1s/^/\xef\xbb\xbf/'
bad config.json ':2' '2s/true\|"/\x01/'
bad config.json ':2' '2s/gelu/\xff\xfe/'
bytes config.json 'config.json' </dev/null
bytes config.json 'object' <<E
[1, 2]
E
bytes config.json ':1:' <<E
<html>not found</html>
E
bytes config.json "'a'" <<E
$(printf '{"model_type": "gpt2", "a": '; printf '[%.0s' $(seq 60); printf ']%.0s' $(seq 60))}
E
bytes config.json ':1:' <<E
$(printf '[%.0s' $(seq 6000))
E
copy gpt2; rm bad/config.json; judge config.json 'No such file'
copy gpt2; rm bad/config.json; mkdir bad/config.json; judge config.json config.json
copy gpt2; rm bad/config.json; mkfifo bad/config.json; judge config.json config.json
copy gpt2; rm bad/config.json; ln -s config.json bad/config.json; judge config.json config.json
fine 'fields of no consequence' config.json 's/"n_head"/"_name_or_path": {"a": [1e30, null, "x"]}, "n_head"/'
fine 'an inner width that is written' config.json 's/"n_inner": null/"n_inner": 96/'
fine 'whole numbers where fractions are usual' config.json 's/1e-05/0/'
fine 'no blanks and one line' config.json ':a;N;$!ba;s/\n *//g'
fine 'several ends' config.json 's/"eos_token_id": 1/"eos_token_id": [1, 2]/'
fine 'escapes' config.json 's/"gelu_new"/"g\\u0065lu_new"/'

family=llama
for key in hidden_size num_attention_heads num_hidden_layers intermediate_size; do
    bad config.json $key "/\"$key\"/d"
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": true/"
    bad config.json $key "s/\"$key\": [0-9]*/\"$key\": -2/"
done
bad config.json num_key_value_heads 's/"num_key_value_heads": 2/"num_key_value_heads": 3/'
bad config.json num_key_value_heads 's/"num_key_value_heads": 2/"num_key_value_heads": 0/'
bad config.json num_key_value_heads 's/"num_key_value_heads": 2/"num_key_value_heads": "2"/'
bad config.json head_dim 's/"head_dim": 6/"head_dim": 7/'
bad config.json head_dim 's/"head_dim": 6/"head_dim": 0/'
elsewhere config.json "'bad'" k_proj 's/"head_dim": 6/"head_dim": 8/'
bad config.json hidden_act 's/"silu"/"gelu"/'
bad config.json rms_norm_eps 's/1e-06/-1e-06/'
bad config.json rms_norm_eps 's/1e-06/[]/'
bad config.json rope_type 's/"rope_type": "default"/"rope_type": "yarn"/'
bad config.json rope_type 's/"rope_type": "default"/"rope_type": "linear", "factor": 2.0/'
bad config.json rope_type 's/"rope_type": "default"/"rope_type": "dynamic", "factor": 2.0/'
bad config.json rope_type 's/"rope_type": "default"/"rope_type": 3/'
bad config.json rope_theta 's/"rope_theta": 10000.0/"rope_theta": -1.0/'
bad config.json rope_theta 's/"rope_theta": 10000.0/"rope_theta": 0/'
bad config.json rope_theta 's/"rope_theta": 10000.0/"rope_theta": "10000"/'
bad config.json rope_parameters 's/"rope_parameters": {/"rope_parameters": 7, "r": {/'
bad config.json linear 's/"rope_parameters": {/"rope_scaling": {"type": "linear", "factor": 2.0}, "r": {/'
bad config.json sliding_window 's/"mlp_bias"/"sliding_window": 128, "mlp_bias"/'
elsewhere config.json "'bad'" q_proj.bias 's/"attention_bias": false/"attention_bias": true/'
bad config.json attention_bias 's/"attention_bias": false/"attention_bias": "no"/'
elsewhere config.json "'bad'" gate_proj.bias 's/"mlp_bias": false/"mlp_bias": true/'
bad config.json tie_word_embeddings 's/"tie_word_embeddings": false/"tie_word_embeddings": 0/'
bad config.json pretraining_tp 's/"pretraining_tp": 1/"pretraining_tp": 2/'
fine 'a table that is the last layer, too, beside one that is not used' config.json 's/"tie_word_embeddings": false/"tie_word_embeddings": true/'
fine 'heads as they follow from the width' config.json '/"head_dim"/d'
fine 'rope_theta at the top, as before' config.json 's/"rope_parameters": {/"rope_theta": 10000.0, "r": {/'
fine 'rope_scaling null' config.json 's/"mlp_bias"/"rope_scaling": null, "mlp_bias"/'
family=llama31
for key in factor high_freq_factor low_freq_factor original_max_position_embeddings; do
    bad config.json $key "s/\"$key\": [0-9.]*/\"$key\": \"x\"/"
    bad config.json $key "s/\"$key\": [0-9.]*/\"$key\": -1/"
done
family=qwen3
bad config.json sliding 's/"use_sliding_window": false/"use_sliding_window": true/'
bad config.json sliding_attention '0,/"full_attention"/s//"sliding_attention"/'
bad config.json head_dim 's/"head_dim": 10/"head_dim": 9/'
family=neox
bad config.json partial_rotary_factor 's/0.67/1.5/'
bad config.json partial_rotary_factor 's/0.67/"0.67"/'
bad config.json partial_rotary_factor 's/0.67/-0.5/'
bad config.json tie_word_embeddings 's/"tie_word_embeddings": false/"tie_word_embeddings": true/'
bad config.json use_parallel_residual 's/"use_parallel_residual": true/"use_parallel_residual": "yes"/'
bad config.json hidden_act 's/"gelu"/"tanh"/'
elsewhere config.json "'bad'" dense.bias 's/"attention_bias": true/"attention_bias": false/'
family=gpt2
elsewhere tokenizer.json config.json vocab_size 's/"added_tokens": \[/"added_tokens": [{"id": 67, "content": "<x>", "special": true},/'
echo "$n folders"
