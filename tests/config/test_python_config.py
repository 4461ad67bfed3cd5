#!/usr/bin/env python3
"""The Python configuration classes against hand-written expectations: names, order, defaults, ranges, strategies.

Standard library only. With --driver PROGRAM (the config command built alone) it also holds that what Python writes is a
configuration file that the system reads.
"""
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

from its_camera_ai.performance import optimization_config as oc  # noqa: E402

DRIVER = None

EXPECTED = {
    "GPUOptimizationConfig": {
        "enable_tensorrt": True,
        "tensorrt_precision": "fp16",
        "tensorrt_workspace_size_gb": 4.0,
        "tensorrt_max_batch_size": 32,
        "tensorrt_min_batch_size": 1,
        "tensorrt_opt_batch_size": 8,
        "enable_dynamic_batching": True,
        "batch_timeout_ms": 10.0,
        "batch_size_range": (1, 32),
        "adaptive_batching": True,
        "gpu_memory_pool_size_gb": 8.0,
        "enable_memory_pinning": True,
        "preallocate_output_tensors": True,
        "enable_cuda_graphs": True,
        "enable_quantization": True,
        "quantization_mode": "dynamic",
        "enable_pruning": False,
        "pruning_ratio": 0.4,
        "enable_mixed_precision": True,
        "use_channels_last": True,
        "compile_model": True,
        "enable_jit_fusion": True,
    },
    "CachingConfig": {
        "l1_cache_size_mb": 512,
        "l1_cache_ttl_seconds": 5,
        "l1_eviction_policy": oc.CacheEvictionPolicy.LRU,
        "l2_cache_enabled": True,
        "l2_cache_ttl_seconds": 300,
        "l2_eviction_policy": oc.CacheEvictionPolicy.TTL,
        "l2_max_memory_mb": 2048,
        "l3_cache_enabled": True,
        "l3_cache_ttl_seconds": 3600,
        "l3_compression_enabled": True,
        "l3_compression_level": 6,
        "enable_predictive_caching": True,
        "prediction_window_minutes": 15,
        "popular_stream_threshold": 10,
        "enable_cache_warming": True,
        "warm_cache_on_startup": True,
        "warm_popular_streams_interval_minutes": 30,
    },
    "ConnectionPoolConfig": {
        "redis_pool_size": 50,
        "redis_max_connections": 100,
        "redis_socket_keepalive": True,
        "redis_socket_keepalive_options": {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 5},
        "redis_retry_on_timeout": True,
        "redis_health_check_interval": 30.0,
        "db_pool_size": 20,
        "db_max_overflow": 30,
        "db_pool_recycle": 3600,
        "db_pool_pre_ping": True,
        "db_pool_timeout": 30.0,
        "ffmpeg_pool_size": 10,
        "ffmpeg_max_concurrent": 20,
        "ffmpeg_process_timeout": 60.0,
        "ffmpeg_restart_threshold": 100,
    },
    "LatencyMonitoringConfig": {
        "latency_sla_ms": 100.0,
        "latency_p50_target_ms": 50.0,
        "latency_p95_target_ms": 80.0,
        "latency_p99_target_ms": 95.0,
        "monitoring_window_seconds": 60,
        "alert_window_seconds": 300,
        "trend_analysis_minutes": 60,
        "enable_sla_alerts": True,
        "sla_violation_threshold": 0.05,
        "regression_detection_enabled": True,
        "regression_threshold_percent": 20.0,
        "collect_detailed_metrics": True,
        "track_pipeline_segments": True,
        "enable_distributed_tracing": True,
        "trace_sampling_rate": 0.1,
    },
    "AdaptiveQualityConfig": {
        "default_quality": "high",
        "enable_adaptive_quality": True,
        "quality_adjustment_interval_seconds": 30,
        "cpu_threshold_percent": 70.0,
        "memory_threshold_percent": 80.0,
        "gpu_memory_threshold_percent": 85.0,
        "latency_threshold_ms": 90.0,
        "gradual_quality_reduction": True,
        "quality_recovery_enabled": True,
        "recovery_stability_period_minutes": 10,
        "enable_priority_streaming": True,
        "priority_camera_ids": [],
        "priority_quality_protection": True,
    },
}

ROOT_EXPECTED = {
    "max_concurrent_streams": 100,
    "target_latency_ms": 100.0,
    "memory_limit_gb": 8.0,
    "enable_performance_profiling": True,
    "enable_monitoring": True,
    "monitoring_interval_seconds": 30,
    "enable_alerts": True,
    "alert_webhook_url": None,
    "enabled": True,
    "gpu_optimization_enabled": True,
    "caching_enabled": True,
}

SECTIONS = {
    "gpu": "GPUOptimizationConfig",
    "caching": "CachingConfig",
    "connection_pool": "ConnectionPoolConfig",
    "latency_monitoring": "LatencyMonitoringConfig",
    "adaptive_quality": "AdaptiveQualityConfig",
}

STRATEGIES = {
    "latency_optimized": {
        "gpu.batch_timeout_ms": 5.0,
        "gpu.tensorrt_opt_batch_size": 4,
        "caching.l1_cache_ttl_seconds": 3,
        "latency_monitoring.latency_sla_ms": 80.0,
    },
    "memory_optimized": {
        "gpu.tensorrt_max_batch_size": 16,
        "gpu.gpu_memory_pool_size_gb": 4.0,
        "caching.l1_cache_size_mb": 256,
        "connection_pool.redis_pool_size": 25,
        "connection_pool.redis_max_connections": 50,
        "connection_pool.db_pool_size": 10,
        "connection_pool.db_max_overflow": 15,
        "connection_pool.ffmpeg_pool_size": 5,
        "connection_pool.ffmpeg_max_concurrent": 10,
    },
    "aggressive": {
        "gpu.batch_timeout_ms": 15.0,
        "gpu.tensorrt_max_batch_size": 64,
        "caching.l1_cache_size_mb": 1024,
        "connection_pool.redis_pool_size": 100,
    },
    "balanced": {},
}


def flat(config):
    """{"gpu.batch_timeout_ms": 10.0, ...} without the strategy."""
    result = {}
    for key, value in config.to_dict().items():
        if key in SECTIONS:
            result.update({f"{key}.{name}": item for name, item in value.items()})
        elif key != "strategy":
            result[key] = value
    return result


class Names(unittest.TestCase):
    maxDiff = None

    def test_enumerations(self):
        self.assertEqual(
            [(item.name, item.value) for item in oc.OptimizationStrategy],
            [(name.upper(), name) for name in
             ("minimal", "aggressive", "balanced", "memory_optimized", "latency_optimized")],
        )
        self.assertEqual(
            [(item.name, item.value) for item in oc.CacheEvictionPolicy],
            [(name.upper(), name) for name in ("lru", "lfu", "ttl", "predictive")],
        )
        self.assertIsInstance(oc.OptimizationStrategy.MINIMAL, str)

    def test_sections(self):
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                made = getattr(oc, name)()
                fields = {entry.name: getattr(made, entry.name) for entry in dataclasses.fields(made)}
                self.assertEqual(list(fields.items()), list(expected.items()))
                self.assertEqual([type(item) for item in fields.values()], [type(item) for item in expected.values()])

    def test_root(self):
        config = oc.OptimizationConfig()
        self.assertIs(config.strategy, oc.OptimizationStrategy.LATENCY_OPTIMIZED)
        names = [entry.name for entry in dataclasses.fields(config)]
        self.assertEqual(names, ["strategy", *SECTIONS, *ROOT_EXPECTED])
        for name, class_name in SECTIONS.items():
            self.assertEqual(getattr(config, name), getattr(oc, class_name)())
        for name, value in ROOT_EXPECTED.items():
            self.assertEqual((name, getattr(config, name)), (name, value))

    def test_instances_share_nothing(self):
        one, other = oc.OptimizationConfig(), oc.OptimizationConfig()
        one.adaptive_quality.priority_camera_ids.append("x")
        one.connection_pool.redis_socket_keepalive_options["TCP_KEEPCNT"] = 9
        self.assertEqual(other, oc.OptimizationConfig())

    def test_import_needs_nothing_else(self):
        code = ("import sys; import its_camera_ai.performance; "
                "print([m for m in ('pydantic','torch','redis','numpy','sqlalchemy') if m in sys.modules])")
        out = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT / "python", capture_output=True, text=True,
                             check=True)
        self.assertEqual(out.stdout.strip(), "[]")


class Checks(unittest.TestCase):
    def bad(self, text, make):
        with self.assertRaises(ValueError) as caught:
            make()
        self.assertIn(text, str(caught.exception))

    def test_ranges_are_named(self):
        self.bad("max_concurrent_streams: 0 is not an integer in 1..1000 cameras",
                 lambda: oc.OptimizationConfig(max_concurrent_streams=0))
        self.bad("max_concurrent_streams: 1001", lambda: oc.OptimizationConfig(max_concurrent_streams=1001))
        self.bad("target_latency_ms: 0", lambda: oc.OptimizationConfig(target_latency_ms=0))
        self.bad("memory_limit_gb", lambda: oc.OptimizationConfig(memory_limit_gb=-1.0))
        self.bad("monitoring_interval_seconds", lambda: oc.OptimizationConfig(monitoring_interval_seconds=0))
        self.bad("gpu.batch_timeout_ms: nan", lambda: oc.GPUOptimizationConfig(batch_timeout_ms=float("nan")))
        self.bad("gpu.tensorrt_precision: 'fp8' is not one of fp32, fp16, int8",
                 lambda: oc.GPUOptimizationConfig(tensorrt_precision="fp8"))
        self.bad("gpu.batch_size_range", lambda: oc.GPUOptimizationConfig(batch_size_range=(1, 65)))
        self.bad("gpu.batch_size_range", lambda: oc.GPUOptimizationConfig(batch_size_range=(1,)))

    def test_types_are_held(self):
        self.bad("gpu.enable_tensorrt: 1", lambda: oc.GPUOptimizationConfig(enable_tensorrt=1))
        self.bad("caching.l1_cache_size_mb: True", lambda: oc.CachingConfig(l1_cache_size_mb=True))
        self.bad("caching.l1_cache_size_mb: 5.5", lambda: oc.CachingConfig(l1_cache_size_mb=5.5))
        self.bad("caching.l1_eviction_policy", lambda: oc.CachingConfig(l1_eviction_policy="fifo"))
        self.bad("adaptive_quality.priority_camera_ids",
                 lambda: oc.AdaptiveQualityConfig(priority_camera_ids="camera_001"))
        self.bad("connection_pool.redis_socket_keepalive_options",
                 lambda: oc.ConnectionPoolConfig(redis_socket_keepalive_options={"A": "b"}))
        self.bad("alert_webhook_url", lambda: oc.OptimizationConfig(alert_webhook_url=5))
        self.bad("strategy: 'fastest'", lambda: oc.OptimizationConfig(strategy="fastest"))

    def test_unknown_keys_are_named(self):
        with self.assertRaises(TypeError):
            oc.CachingConfig(l1_size=5)
        self.bad("unknown option 'l1_size' in caching", lambda: oc.CachingConfig.from_dict({"l1_size": 5}))
        self.bad("unknown option 'speed'", lambda: oc.OptimizationConfig.from_dict({"speed": 5}))
        self.bad("unknown option 'x' in gpu", lambda: oc.OptimizationConfig(gpu={"x": 1}))
        self.bad("gpu: 5 is neither", lambda: oc.OptimizationConfig(gpu=5))

    def test_plain_values_are_taken(self):
        config = oc.OptimizationConfig.from_dict({
            "strategy": "balanced", "target_latency_ms": 90, "caching": {"l1_eviction_policy": "lfu"},
            "gpu": {"batch_size_range": [2, 8]}, "gpu_optimization_enabled": False})
        self.assertIs(config.strategy, oc.OptimizationStrategy.BALANCED)
        self.assertIsInstance(config.target_latency_ms, float)
        self.assertIs(config.caching.l1_eviction_policy, oc.CacheEvictionPolicy.LFU)
        self.assertEqual(config.gpu.batch_size_range, (2, 8))
        self.assertFalse(config.gpu_optimization_enabled)
        self.assertIs(oc.OptimizationConfig.validate_optimization_strategy("minimal"),
                      oc.OptimizationStrategy.MINIMAL)


class Strategies(unittest.TestCase):
    maxDiff = None

    def test_changes(self):
        defaults = flat(oc.OptimizationConfig())
        for name, changes in STRATEGIES.items():
            with self.subTest(name):
                config = oc.OptimizationConfig(strategy=name).get_optimized_config_for_strategy()
                self.assertEqual(config.strategy.value, name)
                self.assertEqual({key: value for key, value in flat(config).items() if value != defaults[key]}, changes)
        self.assertTrue(oc.OptimizationConfig(strategy="balanced").adaptive_quality.enable_adaptive_quality)

    def test_minimal_only_switches_off(self):
        defaults = flat(oc.OptimizationConfig())
        config = flat(oc.OptimizationConfig(strategy="minimal").get_optimized_config_for_strategy())
        changed = {key: value for key, value in config.items() if value != defaults[key]}
        self.assertEqual(set(changed.values()), {False})
        for key in ("caching.l2_cache_enabled", "adaptive_quality.enable_adaptive_quality", "gpu.enable_tensorrt"):
            self.assertIn(key, changed)

    def test_explicit_values_stay(self):
        config = oc.OptimizationConfig(gpu={"batch_timeout_ms": 7.0})
        optimized = config.get_optimized_config_for_strategy()
        self.assertEqual(optimized.gpu.batch_timeout_ms, 7.0)
        self.assertEqual(optimized.gpu.tensorrt_opt_batch_size, 4)
        self.assertEqual(config.gpu.tensorrt_opt_batch_size, 8)  # a copy was made

    def test_production(self):
        config = oc.create_production_optimization_config()
        self.assertEqual((config.strategy.value, config.max_concurrent_streams, config.gpu.batch_timeout_ms),
                         ("latency_optimized", 100, 5.0))
        config = oc.create_production_optimization_config(200, 80.0, oc.OptimizationStrategy.MEMORY_OPTIMIZED)
        self.assertEqual((config.max_concurrent_streams, config.target_latency_ms, config.caching.l1_cache_size_mb),
                         (200, 80.0, 256))


class Files(unittest.TestCase):
    """What Python writes, the system reads."""

    def validate(self, document):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            return subprocess.run([DRIVER, "validate", file.name], capture_output=True, text=True)

    def setUp(self):
        if not DRIVER:
            self.skipTest("no --driver given: the config command is not at hand")

    def test_every_strategy_loads(self):
        for strategy in oc.OptimizationStrategy:
            config = oc.create_production_optimization_config(strategy=strategy)
            done = self.validate(config.to_dict())
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = self.validate(config.overrides())
            self.assertIn(f"valid (strategy {strategy.value}", done.stdout)

    def test_overrides_say_only_what_differs(self):
        config = oc.OptimizationConfig(strategy="balanced", caching={"l1_cache_size_mb": 64}, enabled=False)
        self.assertEqual(config.overrides(),
                         {"strategy": "balanced", "caching": {"l1_cache_size_mb": 64}, "enabled": False})

    def test_the_system_has_the_same_ranges(self):
        done = self.validate({"gpu": {"batch_timeout_ms": 1001}})
        self.assertEqual(done.returncode, 2)
        self.assertIn("0..1000 ms", done.stderr)
        with self.assertRaises(ValueError):
            oc.GPUOptimizationConfig(batch_timeout_ms=1001)


if __name__ == "__main__":
    if "--driver" in sys.argv:
        at = sys.argv.index("--driver")
        DRIVER = sys.argv[at + 1]
        del sys.argv[at:at + 2]
    unittest.main()
