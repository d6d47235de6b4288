import Foundation
import Testing

/// Every option of the published scripts, and the trainer's that come with them, is accepted in every spelling.
@Suite struct PublishedOptionTests {
    /// What the parser says when it has understood everything before it.
    private static let reached = "--threads must be above 0"

    private static let supervised = """
        base_model_name=x freeze_layers=0.8 freeze_lm_head=True tie_frozen_layers=False parallelize=False bettertransformer=False \
        torchcompile=False value_head_activation=False value_normalisation=0 value_normalisation_std=1 rm_split_percentage=1 \
        policy_split_percentage=1 max_new_tokens=100 rl_training=False summarisation_dataset_queries=False dataset_random_subset=10 \
        dataset_random_subset=none dataset_structured_subset=tifu dataset_structured_subset=none eval_dataset=cnndm eval_dataset=none \
        max_source_length=1024 max_target_length=1024 dataset=summarisation rf_model_dir=x reward_function=bleu \
        reward_function=token_id reward_function=sentiment reward_function=rouge eval_sl_reward_function=False \
        target_eval_datapoints=500 eval_rl_model=False eval_rl_model_checkpoint_dir=x resume=must device=cuda:0 ref_device=cuda:0 \
        rf_device=cuda:1 policy_head_device=cuda:0 generation_max_new_tokens=48 generation_max_new_tokens=none \
        generation_pad_token_id=none training_evaluation_batches=10 validation_evaluation_batches=none num_return_sequences=1 \
        evaluation_splits=test,ood_test evaluation_splits=[test,ood_test] temperature=1.0 do_sample=True override_output_dir=none
        """
    private static let reward = """
        training=True evaluate=True push_to_hub_final=False calculate_normalisation=True normalisation_checkpoint_dir=final-normalised \
        value_head_activation=False parallelize=False name=x tags=a group=g project=p id=none run_name=x eval_subsample_num=none \
        eval_subsample_num=5 freeze_layers=0.8 freeze_lm_head=True value_normalisation=0 value_normalisation_std=1 \
        dataset_random_subset=none dataset_structured_subset=none eval_dataset=none target_eval_datapoints=500 save_preds=False \
        bettertransformer=False torchcompile=False training_evaluation_batches=none validation_evaluation_batches=5 infer_batch_size=8 \
        table_names=testbestofN analyse_run_id=x rm_split_percentage=0
        """
    private static let policy = """
        checkpoint_steps=50 evaluation_steps=35 log_steps=5 training_target_eval_datapoints=100 target_eval_datapoints=500 seed=600 \
        discounting=0.999 lam=0.95 entropy_cost=0 grad_norm_clipping=none normalize_advantages=True use_global_advantage_norm=False \
        reward_clip=none reward_scale=1 length_penalty=False length_penalty_coef=0.1 length_penalty_power=5 eos_reward=False \
        eos_reward_coef=0.1 eos_required=False eos_required_penalty=0 checkpoint_limit=none total_steps=10000 \
        gradient_checkpointing=False freeze_layers=0.8 freeze_lm_head=True tie_frozen_layers=True max_new_tokens=48 \
        max_source_length=1024 max_target_length=1024 dataset=imdb reward_function=rouge token_id_rf_threshold=25000 \
        importance_sampling_correction=False use_gae_lambda_advantages=True adap_kl_ctrl=False kl_approx=2 init_kl_coef=0.05 \
        kl_reward=True target=6 horizon=10000 learn_batch_size=16 rollout_batch_size=none batch_size=none \
        gradient_accumulation_steps=1 rollout_accumulation_steps=none ppo_epochs=4 adam_learning_rate=1e-4 appo_clip_policy=none \
        appo_clip_policy=0.2 appo_clip_baseline=none appo_clip_baseline=0.2 baseline_cost=0.1 value_normalisation=0 \
        value_normalisation_std=1 value_denormalisation=0 rf_value_normalisation=0 top_p=1 top_k=0 do_sample=True temperature=1 \
        evaluation_splits=[test,ood_test] gamma=0.99 rms_reward_norm=False initialisation=x wait_for_x=1 connect=x \
        num_actor_batches=2 exp_x=1 training_evaluation_batches=1 epochs=1 wandb_tags=[train,rl] entity=x project=x group=x \
        log_level=debug device=cuda:1 base_model_name=none adam_beta1=0.9 adam_beta2=0.999 adam_eps=1e-8 adam_weight_decay=0 \
        batch_size=16 summarisation_dataset_queries=False dataset_random_subset=none dataset_structured_subset=none eval_dataset=none \
        rf_model_dir=x value_head_activation=False tie_frozen_layers=False parallelize=False bettertransformer=False torchcompile=False \
        ref_device=cuda:2 rf_device=cuda:2 policy_head_device=cuda:0 policy_split_percentage=0.8 rm_split_percentage=1 resume=allow \
        value_denormalisation_std=1 rf_value_normalisation_std=1 output_dir=x
        """
    private static let diversity = """
        run_ids=[a,b] run_ids=a decodes=x model_name=x table_name=best_of_N diversity_metrics=all limit_outputs=none limit_outputs=5 \
        no_per_input=False no_overall_input=False no_table_ids=False sample_overall=False use_references=False max_tables=16 \
        simulate_bon_for_per_input=none simulate_bon_for_per_input=4 simulate_bon_for_per_input_n_outputs=32
        """
    /// Options of Transformers' trainer, at their defaults.
    private static let trainer = """
        per_device_train_batch_size=8 per_device_eval_batch_size=8 gradient_accumulation_steps=1 num_train_epochs=3.0 max_steps=-1 \
        learning_rate=5e-05 lr_scheduler_type=linear warmup_steps=0 warmup_ratio=0.0 weight_decay=0.0 adam_beta1=0.9 adam_beta2=0.999 \
        adam_epsilon=1e-08 max_grad_norm=1.0 optim=adamw_torch optim_args=none bf16=False fp16=False bf16_full_eval=False tf32=none \
        torch_compile=False torch_compile_mode=none use_cpu=False auto_find_batch_size=False logging_strategy=steps \
        logging_steps=500 logging_first_step=False logging_nan_inf_filter=True log_level=passive log_level_replica=warning \
        log_on_each_node=True disable_tqdm=none report_to=none run_name=none evaluation_strategy=steps eval_strategy=no eval_steps=none \
        eval_delay=0 prediction_loss_only=False eval_on_start=False eval_accumulation_steps=none include_for_metrics=x \
        include_inputs_for_metrics=False save_only_model=False save_strategy=steps save_steps=500 save_total_limit=none \
        save_on_each_node=False push_to_hub=False hub_token=none hub_model_id=none load_best_model_at_end=False \
        metric_for_best_model=none greater_is_better=none ignore_data_skip=False full_determinism=False seed=42 \
        dataloader_drop_last=False dataloader_num_workers=0 dataloader_pin_memory=True dataloader_persistent_workers=False \
        dataloader_prefetch_factor=none remove_unused_columns=True label_names=none group_by_length=False length_column_name=length \
        ddp_backend=none ddp_timeout=1800 fsdp=none fsdp_config=none deepspeed=none debug=x skip_memory_metrics=True do_train=False \
        do_eval=False do_predict=False resume_from_checkpoint=none local_rank=-1 sortish_sampler=False predict_with_generate=False \
        generation_max_length=none generation_num_beams=none generation_config=none
        """

    /// Names of the published scripts that are one option here.
    private static let otherNames = ["generation_max_new_tokens": "max_new_tokens", "training": "do_train", "evaluate": "do_eval"]

    @Test("Docs/porting.md has every one of them")
    func documented() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("Docs/porting.md"), encoding: .utf8)
        for options in [Self.supervised, Self.reward, Self.policy, Self.diversity] {
            for option in options.split(separator: " ") {
                var name = String(option.prefix { $0 != "=" })
                // x stands for whatever such names end with
                if name.hasSuffix("_x") { name = String(name.dropLast()) + "*" }
                #expect(text.contains(name) || text.contains(name.replacing("_", with: "-")), "\(name)")
            }
        }
    }

    @Test(
        "snake_case, kebab-case, name=value, and values in words of their own",
        arguments: [
            ("train-sft", "--from-scratch", supervised + " " + trainer),
            ("train-reward-model", "--model-name=x", reward + " " + trainer),
            ("train-ppo", "--model-name=x --rf-model-dir=x", policy),
            ("sample-best-of-n", "--model-name=x", supervised + " " + trainer),
            ("calculate-diversity", "--seed=1", diversity),
        ])
    func accepted(program: String, base: String, options: String) throws {
        // a line has one value for an option, the last one of the list; further names of it come in lines of their own
        func option(_ setting: [String]) -> String { Self.otherNames[setting[0]] ?? setting[0] }
        var lines: [[[String]]] = [[]]
        for setting in options.split(separator: " ").map({ $0.split(separator: "=", maxSplits: 1).map(String.init) }) {
            if let known = lines[0].firstIndex(where: { $0[0] == setting[0] }) {
                lines[0][known] = setting
            } else if lines[0].contains(where: { option($0) == option(setting) }) {
                lines.append([setting])
            } else {
                lines[0].append(setting)
            }
        }
        for index in lines.indices.dropFirst() {
            lines[index] += lines[0].filter { option($0) != option(lines[index][0]) }
        }
        let ownBase = base.split(separator: " ").map(String.init).filter { word in
            !lines[0].contains { "--" + option($0).replacing("_", with: "-") == word.prefix { $0 != "=" } }
        }
        let spellings: [(String, [String])] = lines.flatMap { settings in
            [
                ("snake_case", settings.map { "--\($0[0])=\($0[1])" }),
                ("kebab-case", settings.map { "--\($0[0].replacing("_", with: "-"))=\($0[1])" }),
                ("name=value", settings.map { "\($0[0])=\($0[1])" }),
                ("words", settings.flatMap { ["--" + $0[0], $0[1]] }),
            ]
        }
        for (name, words) in spellings {
            let process = try ProgramProcess(
                program, ownBase + words + ["--threads=0"],
                in: FileManager.default.temporaryDirectory)
            let end = process.wait()
            #expect(end.status == 64 && end.errors.contains(Self.reached), "\(program), \(name): \(end.errors)")
        }
        // what has no meaning is said once each, and what is unknown gets the nearest name
        let process = try ProgramProcess(
            program, base.split(separator: " ").map(String.init) + ["--device=cuda:0", "--seeed=3"],
            in: FileManager.default.temporaryDirectory)
        let end = process.wait()
        #expect(end.status == 64 && end.errors.contains("did you mean --seed?"), "\(end.errors)")
    }
}
