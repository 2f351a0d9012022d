"""Networks of transformers, each family once, as small as they go and of random weights."""

from typing import Any

import torch
from torch import nn

TEXT = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "vocab_size": 40,
    "max_position_embeddings": 12,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
DECODER = {**TEXT, "num_key_value_heads": 1, "head_dim": 8}
VISION = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 8,
    "patch_size": 4,
}
MIXTURE = {**DECODER, "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 12}
OF_GPT2 = {
    "vocab_size": 40,
    "n_positions": 12,
    "n_embd": 16,
    "n_layer": 1,
    "n_head": 2,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
OF_BART = {
    "vocab_size": 40,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 12,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "forced_eos_token_id": 2,
    "decoder_start_token_id": 2,
}
OF_T5 = {
    "vocab_size": 40,
    "d_model": 16,
    "d_kv": 8,
    "d_ff": 24,
    "num_layers": 1,
    "num_heads": 2,
    "decoder_start_token_id": 0,
}

TINY: dict[str, tuple[str, dict[str, Any]]] = {
    "albert": ("AlbertForMaskedLM", {**TEXT, "embedding_size": 8}),
    "aria_text": ("AriaTextForCausalLM", {**MIXTURE, "moe_num_experts": 4, "moe_topk": 2}),
    "bart": ("BartForConditionalGeneration", OF_BART),
    "beit": ("BeitForImageClassification", {**VISION, "use_relative_position_bias": True, "out_indices": [1]}),
    "bert": ("BertForMaskedLM", TEXT),
    "bloom": ("BloomForCausalLM", {"vocab_size": 40, "hidden_size": 16, "n_layer": 1, "n_head": 2}),
    "clip": ("CLIPModel", {"text_config": TEXT, "vision_config": VISION, "projection_dim": 8}),
    "convnext": ("ConvNextForImageClassification", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}),
    "dbrx": (
        "DbrxForCausalLM",
        {
            "vocab_size": 40,
            "d_model": 16,
            "n_heads": 2,
            "n_layers": 1,
            "max_seq_len": 12,
            "attn_config": {"kv_n_heads": 1, "rope_theta": 10000.0},
            "ffn_config": {"ffn_hidden_size": 12, "moe_num_experts": 4, "moe_top_k": 2, "hidden_size": 16},
        },
    ),
    "deberta_v2": ("DebertaV2ForMaskedLM", {**TEXT, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}),
    "deepseek_v3": (
        "DeepseekV3ForCausalLM",
        dict(
            DECODER,
            n_routed_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=12,
            n_group=1,
            topk_group=1,
            first_k_dense_replace=0,
            kv_lora_rank=8,
            q_lora_rank=8,
            qk_rope_head_dim=4,
            qk_nope_head_dim=4,
            v_head_dim=8,
        ),
    ),
    "dinov2": ("Dinov2ForImageClassification", {**VISION, "mlp_ratio": 2}),
    "distilbert": (
        "DistilBertForMaskedLM",
        {"vocab_size": 40, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 12},
    ),
    "electra": ("ElectraForMaskedLM", {**TEXT, "embedding_size": 8}),
    "falcon": ("FalconForCausalLM", TEXT),
    "gemma": ("GemmaForCausalLM", DECODER),
    "gpt2": ("GPT2LMHeadModel", OF_GPT2),
    "gpt_bigcode": ("GPTBigCodeForCausalLM", OF_GPT2),
    "gpt_neo": (
        "GPTNeoForCausalLM",
        {
            "vocab_size": 40,
            "hidden_size": 16,
            "num_layers": 2,
            "num_heads": 2,
            "attention_types": [[["global", "local"], 1]],
            "max_position_embeddings": 12,
        },
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", TEXT),
    "gpt_oss": ("GptOssForCausalLM", MIXTURE),
    "gptj": ("GPTJForCausalLM", {**OF_GPT2, "rotary_dim": 4}),
    "granitemoe": ("GraniteMoeForCausalLM", MIXTURE),
    "jamba": (
        "JambaForCausalLM",
        dict(
            MIXTURE,
            num_hidden_layers=2,
            attn_layer_period=2,
            attn_layer_offset=1,
            expert_layer_period=1,
            expert_layer_offset=0,
            mamba_d_state=4,
            mamba_dt_rank=4,
            use_mamba_kernels=False,
        ),
    ),
    "jetmoe": ("JetMoeForCausalLM", {**MIXTURE, "kv_channels": 8}),
    "llama": ("LlamaForCausalLM", DECODER),
    "llama4_text": ("Llama4ForCausalLM", {**MIXTURE, "intermediate_size_mlp": 24, "interleave_moe_layer_step": 1}),
    "mamba": ("MambaForCausalLM", {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "state_size": 4}),
    "marian": ("MarianMTModel", {**OF_BART, "decoder_start_token_id": 0}),
    "mixtral": ("MixtralForCausalLM", MIXTURE),
    "mobilenet_v2": (
        "MobileNetV2ForImageClassification",
        {"image_size": 16, "depth_multiplier": 0.1, "min_depth": 4, "depth_divisible_by": 4},
    ),
    "mpt": (
        "MptForCausalLM",
        {"vocab_size": 40, "d_model": 16, "n_heads": 2, "n_layers": 1, "max_seq_len": 12, "expansion_ratio": 2},
    ),
    "nemotron_h": (
        "NemotronHForCausalLM",
        dict(
            MIXTURE,
            n_routed_experts=4,
            hybrid_override_pattern="ME*",
            layers_block_type=None,
            mamba_num_heads=2,
            mamba_head_dim=8,
            ssm_state_size=4,
            n_groups=1,
        ),
    ),
    "olmoe": ("OlmoeForCausalLM", MIXTURE),
    "opt": ("OPTForCausalLM", {**TEXT, "ffn_dim": 24, "word_embed_proj_dim": 8}),
    "perceiver": (
        "PerceiverForMaskedLM",
        {
            "num_latents": 4,
            "d_latents": 16,
            "d_model": 16,
            "num_blocks": 1,
            "num_self_attends_per_block": 1,
            "num_self_attention_heads": 2,
            "num_cross_attention_heads": 2,
            "vocab_size": 40,
            "max_position_embeddings": 12,
        },
    ),
    "phi": ("PhiForCausalLM", TEXT),
    "qwen2": ("Qwen2ForCausalLM", {**DECODER, "tie_word_embeddings": True}),
    "resnet": (
        "ResNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    ),
    "roberta": ("RobertaForMaskedLM", TEXT),
    "segformer": (
        "SegformerForSemanticSegmentation",
        {
            "num_encoder_blocks": 2,
            "depths": [1, 1],
            "sr_ratios": [2, 1],
            "hidden_sizes": [8, 16],
            "patch_sizes": [3, 3],
            "strides": [2, 2],
            "num_attention_heads": [1, 2],
            "mlp_ratios": [2, 2],
            "decoder_hidden_size": 8,
        },
    ),
    "swin": (
        "SwinForImageClassification",
        {"image_size": 16, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 2},
    ),
    "switch_transformers": (
        "SwitchTransformersForConditionalGeneration",
        {**OF_T5, "num_layers": 2, "num_experts": 4, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1},
    ),
    "t5": ("T5ForConditionalGeneration", OF_T5),
    "vit": ("ViTForImageClassification", VISION),
    "wav2vec2": (
        "Wav2Vec2ForCTC",
        dict(
            TEXT,
            conv_dim=(8, 8),
            conv_kernel=(4, 3),
            conv_stride=(2, 2),
            num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2,
        ),
    ),
    "whisper": (
        "WhisperForConditionalGeneration",
        dict(
            OF_BART,
            num_mel_bins=8,
            max_source_positions=8,
            max_target_positions=8,
            decoder_start_token_id=1,
            begin_suppress_tokens=None,
            suppress_tokens=None,
        ),
    ),
    "xlnet": ("XLNetLMHeadModel", {"vocab_size": 40, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 24}),
}


def tiny_network(family: str) -> nn.Module:
    """A network whose matrices all differ from zero, so that a zero in them is one that was made."""
    import transformers

    name, settings = TINY[family]
    kind = getattr(transformers, name)
    torch.manual_seed(0)
    model: nn.Module = kind(kind.config_class(**settings)).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1 and parameter.requires_grad:
            nn.init.normal_(parameter)
    return model
