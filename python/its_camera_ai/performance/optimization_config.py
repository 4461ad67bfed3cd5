"""Configuration of the performance system, as Python objects.

Names and defaults are those of the options of the system itself: the classes between the two markers are generated from
its one table. Values are checked when an object is built; nothing here needs a GPU, a server or another package.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

__all__ = [
    "AdaptiveQualityConfig",
    "CacheEvictionPolicy",
    "CachingConfig",
    "ConnectionPoolConfig",
    "GPUOptimizationConfig",
    "LatencyMonitoringConfig",
    "OptimizationConfig",
    "OptimizationStrategy",
    "create_production_optimization_config",
]


@dataclass(frozen=True)
class _Row:
    """Type and range of one option."""

    kind: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    words: tuple[str, ...] = ()
    enum: type[Enum] | None = None

    def check(self, name: str, value: Any) -> Any:
        """The value as the field holds it; ValueError says what is allowed."""
        checked = getattr(self, f"_check_{self.kind}")(value)
        if checked is _BAD:
            shown = "the value" if self.kind == "secret" else repr(value)
            raise ValueError(f"{name}: {shown} is not {self.allowed()}")
        return checked

    def allowed(self) -> str:
        span = f"{self.low}..{self.high} {self.unit}".rstrip()
        return {
            "bool": "True or False",
            "int": f"an integer in {span}",
            "float": f"a number in {span}",
            "pair": f"two integers, each in {span}",
            "word": "one of " + ", ".join(self.words),
            "str": "text or None",
            "secret": "text or None",
            "list": "a list of strings",
            "map": "a dictionary of names with integers",
        }[self.kind]

    def _in_range(self, value: Any) -> bool:
        return self.low <= value <= self.high

    def _check_bool(self, value: Any) -> Any:
        return value if isinstance(value, bool) else _BAD

    def _check_int(self, value: Any) -> Any:
        good = isinstance(value, int) and not isinstance(value, bool) and self._in_range(value)
        return value if good else _BAD

    def _check_float(self, value: Any) -> Any:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if good and self._in_range(value) else _BAD

    def _check_pair(self, value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            return _BAD
        return _BAD if any(self._check_int(part) is _BAD for part in value) else tuple(value)

    def _check_word(self, value: Any) -> Any:
        word = value.value if isinstance(value, Enum) else value
        if word not in self.words:
            return _BAD
        return self.enum(word) if self.enum else word

    def _check_str(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else _BAD

    _check_secret = _check_str

    def _check_list(self, value: Any) -> Any:
        good = isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)
        return list(value) if good else _BAD

    def _check_map(self, value: Any) -> Any:
        good = isinstance(value, Mapping) and all(
            isinstance(key, str) and isinstance(item, int) and not isinstance(item, bool)
            for key, item in value.items()
        )
        return dict(value) if good else _BAD


_BAD = object()


def _plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    return value.value if isinstance(value, Enum) else copy.deepcopy(value)


class _Options:
    """What the classes of options share: checking and conversion."""

    _SECTION: ClassVar[str] = ""
    _ROWS: ClassVar[dict[str, _Row]] = {}

    def __post_init__(self) -> None:
        prefix = f"{self._SECTION}." if self._SECTION else ""
        for name, row in self._ROWS.items():
            setattr(self, name, row.check(prefix + name, getattr(self, name)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Builds one from a dictionary; an unknown key is a ValueError that names it."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        for key in values:
            if key not in known:
                place = f" in {cls._SECTION}" if cls._SECTION else ""
                raise ValueError(f"unknown option {key!r}{place}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Every option, with plain values that JSON takes."""
        return {name: _plain(getattr(self, name)) for name in self._ROWS}


# BEGIN GENERATED: from src/config/options.def, by tools/gen_options.c (target `options`)


class OptimizationStrategy(str, Enum):
    """A named set of changes from the defaults."""

    MINIMAL = "minimal"
    AGGRESSIVE = "aggressive"
    BALANCED = "balanced"
    MEMORY_OPTIMIZED = "memory_optimized"
    LATENCY_OPTIMIZED = "latency_optimized"


class CacheEvictionPolicy(str, Enum):
    """What a full cache level lets go first."""

    LRU = "lru"
    LFU = "lfu"
    TTL = "ttl"
    PREDICTIVE = "predictive"


@dataclass
class GPUOptimizationConfig(_Options):
    """Options of the GPU Memory Optimizer."""

    enable_tensorrt: bool = True
    tensorrt_precision: str = "fp16"
    tensorrt_workspace_size_gb: float = 4.0
    tensorrt_max_batch_size: int = 32
    tensorrt_min_batch_size: int = 1
    tensorrt_opt_batch_size: int = 8
    enable_dynamic_batching: bool = True
    batch_timeout_ms: float = 10.0
    batch_size_range: tuple[int, int] = (1, 32)
    adaptive_batching: bool = True
    gpu_memory_pool_size_gb: float = 8.0
    enable_memory_pinning: bool = True
    preallocate_output_tensors: bool = True
    enable_cuda_graphs: bool = True
    enable_quantization: bool = True
    quantization_mode: str = "dynamic"
    enable_pruning: bool = False
    pruning_ratio: float = 0.4
    enable_mixed_precision: bool = True
    use_channels_last: bool = True
    compile_model: bool = True
    enable_jit_fusion: bool = True

    _SECTION: ClassVar[str] = "gpu"
    _ROWS: ClassVar[dict[str, _Row]] = {
        "enable_tensorrt": _Row("bool"),
        "tensorrt_precision": _Row("word", words=("fp32", "fp16", "int8")),
        "tensorrt_workspace_size_gb": _Row("float", low=0.0, high=1024.0, unit="GiB"),
        "tensorrt_max_batch_size": _Row("int", low=1, high=64, unit="images"),
        "tensorrt_min_batch_size": _Row("int", low=1, high=64, unit="images"),
        "tensorrt_opt_batch_size": _Row("int", low=1, high=64, unit="images"),
        "enable_dynamic_batching": _Row("bool"),
        "batch_timeout_ms": _Row("float", low=0.0, high=1000.0, unit="ms"),
        "batch_size_range": _Row("pair", low=1, high=64, unit="images"),
        "adaptive_batching": _Row("bool"),
        "gpu_memory_pool_size_gb": _Row("float", low=0.0, high=1024.0, unit="GiB"),
        "enable_memory_pinning": _Row("bool"),
        "preallocate_output_tensors": _Row("bool"),
        "enable_cuda_graphs": _Row("bool"),
        "enable_quantization": _Row("bool"),
        "quantization_mode": _Row("word", words=("dynamic", "static")),
        "enable_pruning": _Row("bool"),
        "pruning_ratio": _Row("float", low=0.0, high=1.0),
        "enable_mixed_precision": _Row("bool"),
        "use_channels_last": _Row("bool"),
        "compile_model": _Row("bool"),
        "enable_jit_fusion": _Row("bool"),
    }


@dataclass
class CachingConfig(_Options):
    """Options of the Streaming Cache Manager."""

    l1_cache_size_mb: int = 512
    l1_cache_ttl_seconds: int = 5
    l1_eviction_policy: CacheEvictionPolicy = CacheEvictionPolicy.LRU
    l2_cache_enabled: bool = True
    l2_cache_ttl_seconds: int = 300
    l2_eviction_policy: CacheEvictionPolicy = CacheEvictionPolicy.TTL
    l2_max_memory_mb: int = 2048
    l3_cache_enabled: bool = True
    l3_cache_ttl_seconds: int = 3600
    l3_compression_enabled: bool = True
    l3_compression_level: int = 6
    enable_predictive_caching: bool = True
    prediction_window_minutes: int = 15
    popular_stream_threshold: int = 10
    enable_cache_warming: bool = True
    warm_cache_on_startup: bool = True
    warm_popular_streams_interval_minutes: int = 30

    _SECTION: ClassVar[str] = "caching"
    _ROWS: ClassVar[dict[str, _Row]] = {
        "l1_cache_size_mb": _Row("int", low=0, high=1048576, unit="MiB"),
        "l1_cache_ttl_seconds": _Row("int", low=0, high=86400, unit="s"),
        "l1_eviction_policy": _Row("word", words=("lru", "lfu", "ttl", "predictive"), enum=CacheEvictionPolicy),
        "l2_cache_enabled": _Row("bool"),
        "l2_cache_ttl_seconds": _Row("int", low=0, high=604800, unit="s"),
        "l2_eviction_policy": _Row("word", words=("lru", "lfu", "ttl", "predictive"), enum=CacheEvictionPolicy),
        "l2_max_memory_mb": _Row("int", low=0, high=1048576, unit="MiB"),
        "l3_cache_enabled": _Row("bool"),
        "l3_cache_ttl_seconds": _Row("int", low=0, high=2592000, unit="s"),
        "l3_compression_enabled": _Row("bool"),
        "l3_compression_level": _Row("int", low=1, high=9),
        "enable_predictive_caching": _Row("bool"),
        "prediction_window_minutes": _Row("int", low=1, high=1440, unit="min"),
        "popular_stream_threshold": _Row("int", low=1, high=1000000, unit="requests"),
        "enable_cache_warming": _Row("bool"),
        "warm_cache_on_startup": _Row("bool"),
        "warm_popular_streams_interval_minutes": _Row("int", low=1, high=1440, unit="min"),
    }


@dataclass
class ConnectionPoolConfig(_Options):
    """Options of the Connection Pool Optimizer."""

    redis_pool_size: int = 50
    redis_max_connections: int = 100
    redis_socket_keepalive: bool = True
    redis_socket_keepalive_options: dict[str, int] = field(default_factory=lambda: {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 5})
    redis_retry_on_timeout: bool = True
    redis_health_check_interval: float = 30.0
    db_pool_size: int = 20
    db_max_overflow: int = 30
    db_pool_recycle: int = 3600
    db_pool_pre_ping: bool = True
    db_pool_timeout: float = 30.0
    ffmpeg_pool_size: int = 10
    ffmpeg_max_concurrent: int = 20
    ffmpeg_process_timeout: float = 60.0
    ffmpeg_restart_threshold: int = 100

    _SECTION: ClassVar[str] = "connection_pool"
    _ROWS: ClassVar[dict[str, _Row]] = {
        "redis_pool_size": _Row("int", low=1, high=10000, unit="connections"),
        "redis_max_connections": _Row("int", low=1, high=10000, unit="connections"),
        "redis_socket_keepalive": _Row("bool"),
        "redis_socket_keepalive_options": _Row("map"),
        "redis_retry_on_timeout": _Row("bool"),
        "redis_health_check_interval": _Row("float", low=0.1, high=3600.0, unit="s"),
        "db_pool_size": _Row("int", low=1, high=10000, unit="connections"),
        "db_max_overflow": _Row("int", low=0, high=10000, unit="connections"),
        "db_pool_recycle": _Row("int", low=1, high=604800, unit="s"),
        "db_pool_pre_ping": _Row("bool"),
        "db_pool_timeout": _Row("float", low=0.0, high=3600.0, unit="s"),
        "ffmpeg_pool_size": _Row("int", low=1, high=1000, unit="processes"),
        "ffmpeg_max_concurrent": _Row("int", low=1, high=1000, unit="processes"),
        "ffmpeg_process_timeout": _Row("float", low=0.1, high=86400.0, unit="s"),
        "ffmpeg_restart_threshold": _Row("int", low=1, high=1000000, unit="jobs"),
    }


@dataclass
class LatencyMonitoringConfig(_Options):
    """Options of the Latency Monitor."""

    latency_sla_ms: float = 100.0
    latency_p50_target_ms: float = 50.0
    latency_p95_target_ms: float = 80.0
    latency_p99_target_ms: float = 95.0
    monitoring_window_seconds: int = 60
    alert_window_seconds: int = 300
    trend_analysis_minutes: int = 60
    enable_sla_alerts: bool = True
    sla_violation_threshold: float = 0.05
    regression_detection_enabled: bool = True
    regression_threshold_percent: float = 20.0
    collect_detailed_metrics: bool = True
    track_pipeline_segments: bool = True
    enable_distributed_tracing: bool = True
    trace_sampling_rate: float = 0.1

    _SECTION: ClassVar[str] = "latency_monitoring"
    _ROWS: ClassVar[dict[str, _Row]] = {
        "latency_sla_ms": _Row("float", low=0.1, high=60000.0, unit="ms"),
        "latency_p50_target_ms": _Row("float", low=0.1, high=60000.0, unit="ms"),
        "latency_p95_target_ms": _Row("float", low=0.1, high=60000.0, unit="ms"),
        "latency_p99_target_ms": _Row("float", low=0.1, high=60000.0, unit="ms"),
        "monitoring_window_seconds": _Row("int", low=1, high=86400, unit="s"),
        "alert_window_seconds": _Row("int", low=1, high=86400, unit="s"),
        "trend_analysis_minutes": _Row("int", low=1, high=10080, unit="min"),
        "enable_sla_alerts": _Row("bool"),
        "sla_violation_threshold": _Row("float", low=0.0, high=1.0),
        "regression_detection_enabled": _Row("bool"),
        "regression_threshold_percent": _Row("float", low=0.1, high=1000.0, unit="%"),
        "collect_detailed_metrics": _Row("bool"),
        "track_pipeline_segments": _Row("bool"),
        "enable_distributed_tracing": _Row("bool"),
        "trace_sampling_rate": _Row("float", low=0.0, high=1.0),
    }


@dataclass
class AdaptiveQualityConfig(_Options):
    """Options of the Adaptive Quality Manager."""

    default_quality: str = "high"
    enable_adaptive_quality: bool = True
    quality_adjustment_interval_seconds: int = 30
    cpu_threshold_percent: float = 70.0
    memory_threshold_percent: float = 80.0
    gpu_memory_threshold_percent: float = 85.0
    latency_threshold_ms: float = 90.0
    gradual_quality_reduction: bool = True
    quality_recovery_enabled: bool = True
    recovery_stability_period_minutes: int = 10
    enable_priority_streaming: bool = True
    priority_camera_ids: list[str] = field(default_factory=lambda: [])
    priority_quality_protection: bool = True

    _SECTION: ClassVar[str] = "adaptive_quality"
    _ROWS: ClassVar[dict[str, _Row]] = {
        "default_quality": _Row("word", words=("ultra_low", "low", "medium", "high", "ultra_high")),
        "enable_adaptive_quality": _Row("bool"),
        "quality_adjustment_interval_seconds": _Row("int", low=1, high=3600, unit="s"),
        "cpu_threshold_percent": _Row("float", low=0.0, high=100.0, unit="%"),
        "memory_threshold_percent": _Row("float", low=0.0, high=100.0, unit="%"),
        "gpu_memory_threshold_percent": _Row("float", low=0.0, high=100.0, unit="%"),
        "latency_threshold_ms": _Row("float", low=0.1, high=60000.0, unit="ms"),
        "gradual_quality_reduction": _Row("bool"),
        "quality_recovery_enabled": _Row("bool"),
        "recovery_stability_period_minutes": _Row("int", low=0, high=1440, unit="min"),
        "enable_priority_streaming": _Row("bool"),
        "priority_camera_ids": _Row("list"),
        "priority_quality_protection": _Row("bool"),
    }


@dataclass(kw_only=True)
class _RootFields(_Options):
    """The fields of OptimizationConfig."""

    strategy: OptimizationStrategy = OptimizationStrategy.LATENCY_OPTIMIZED
    gpu: GPUOptimizationConfig = field(default_factory=GPUOptimizationConfig)
    caching: CachingConfig = field(default_factory=CachingConfig)
    connection_pool: ConnectionPoolConfig = field(default_factory=ConnectionPoolConfig)
    latency_monitoring: LatencyMonitoringConfig = field(default_factory=LatencyMonitoringConfig)
    adaptive_quality: AdaptiveQualityConfig = field(default_factory=AdaptiveQualityConfig)
    max_concurrent_streams: int = 100
    target_latency_ms: float = 100.0
    memory_limit_gb: float = 8.0
    enable_performance_profiling: bool = True
    enable_monitoring: bool = True
    monitoring_interval_seconds: int = 30
    enable_alerts: bool = True
    alert_webhook_url: str | None = None
    enabled: bool = True
    gpu_optimization_enabled: bool = True
    caching_enabled: bool = True

    _SECTION: ClassVar[str] = ""
    _ROWS: ClassVar[dict[str, _Row]] = {
        "strategy": _Row("word", words=("minimal", "aggressive", "balanced", "memory_optimized", "latency_optimized"), enum=OptimizationStrategy),
        "max_concurrent_streams": _Row("int", low=1, high=1000, unit="cameras"),
        "target_latency_ms": _Row("float", low=0.001, high=60000.0, unit="ms"),
        "memory_limit_gb": _Row("float", low=0.001, high=4096.0, unit="GiB"),
        "enable_performance_profiling": _Row("bool"),
        "enable_monitoring": _Row("bool"),
        "monitoring_interval_seconds": _Row("int", low=1, high=86400, unit="s"),
        "enable_alerts": _Row("bool"),
        "alert_webhook_url": _Row("secret"),
        "enabled": _Row("bool"),
        "gpu_optimization_enabled": _Row("bool"),
        "caching_enabled": _Row("bool"),
    }
    _SECTIONS: ClassVar[dict[str, type]] = {
        "gpu": GPUOptimizationConfig,
        "caching": CachingConfig,
        "connection_pool": ConnectionPoolConfig,
        "latency_monitoring": LatencyMonitoringConfig,
        "adaptive_quality": AdaptiveQualityConfig,
    }


# What each strategy changes from the defaults: (section, option, value).
_STRATEGY_CHANGES: dict[OptimizationStrategy, tuple[tuple[str, str, Any], ...]] = {
    OptimizationStrategy.MINIMAL: (
        ("", "enable_performance_profiling", False),
        ("", "enable_alerts", False),
        ("gpu", "enable_tensorrt", False),
        ("gpu", "adaptive_batching", False),
        ("gpu", "enable_cuda_graphs", False),
        ("gpu", "enable_quantization", False),
        ("caching", "l2_cache_enabled", False),
        ("caching", "l3_cache_enabled", False),
        ("caching", "enable_predictive_caching", False),
        ("caching", "enable_cache_warming", False),
        ("caching", "warm_cache_on_startup", False),
        ("latency_monitoring", "enable_sla_alerts", False),
        ("latency_monitoring", "regression_detection_enabled", False),
        ("latency_monitoring", "enable_distributed_tracing", False),
        ("adaptive_quality", "enable_adaptive_quality", False),
        ("adaptive_quality", "enable_priority_streaming", False),
    ),
    OptimizationStrategy.AGGRESSIVE: (
        ("gpu", "batch_timeout_ms", 15.0),
        ("gpu", "tensorrt_max_batch_size", 64),
        ("caching", "l1_cache_size_mb", 1024),
        ("connection_pool", "redis_pool_size", 100),
    ),
    OptimizationStrategy.BALANCED: (),
    OptimizationStrategy.MEMORY_OPTIMIZED: (
        ("gpu", "tensorrt_max_batch_size", 16),
        ("gpu", "gpu_memory_pool_size_gb", 4.0),
        ("caching", "l1_cache_size_mb", 256),
        ("connection_pool", "redis_pool_size", 25),
        ("connection_pool", "redis_max_connections", 50),
        ("connection_pool", "db_pool_size", 10),
        ("connection_pool", "db_max_overflow", 15),
        ("connection_pool", "ffmpeg_pool_size", 5),
        ("connection_pool", "ffmpeg_max_concurrent", 10),
    ),
    OptimizationStrategy.LATENCY_OPTIMIZED: (
        ("gpu", "batch_timeout_ms", 5.0),
        ("gpu", "tensorrt_opt_batch_size", 4),
        ("caching", "l1_cache_ttl_seconds", 3),
        ("latency_monitoring", "latency_sla_ms", 80.0),
    ),
}


# END GENERATED
class OptimizationConfig(_RootFields):
    """The whole configuration. Sections may be given as objects or as dictionaries."""

    def __post_init__(self) -> None:
        for name, kind in self._SECTIONS.items():
            value = getattr(self, name)
            if isinstance(value, Mapping):
                setattr(self, name, kind.from_dict(value))
            elif not isinstance(value, kind):
                raise ValueError(f"{name}: {value!r} is neither a {kind.__name__} nor a dictionary")
        super().__post_init__()

    @classmethod
    def validate_optimization_strategy(cls, v: OptimizationStrategy) -> OptimizationStrategy:
        """The strategy, from its name too; ValueError when there is none of that name."""
        return cls._ROWS["strategy"].check("strategy", v)

    def get_optimized_config_for_strategy(self) -> OptimizationConfig:
        """A copy with the strategy's changes made. An option that no longer holds its default was set on purpose and
        stays, as everywhere: strategies give way to explicit values."""
        optimized = copy.deepcopy(self)
        for section, name, value in _STRATEGY_CHANGES[self.strategy]:
            place = getattr(optimized, section) if section else optimized
            if getattr(place, name) == getattr(type(place)(), name):
                setattr(place, name, place._ROWS[name].check(name, value))
        return optimized

    def to_dict(self) -> dict[str, Any]:
        """Every option, sections nested, with plain values that JSON takes."""
        result: dict[str, Any] = {"strategy": self.strategy.value}
        for name in self._SECTIONS:
            result[name] = getattr(self, name).to_dict()
        for name in self._ROWS:
            result[name] = _plain(getattr(self, name))
        return result

    def overrides(self) -> dict[str, Any]:
        """What a configuration file needs to say: the strategy, and the options that do not hold their defaults."""
        mine, defaults = self.to_dict(), OptimizationConfig().to_dict()
        result: dict[str, Any] = {"strategy": mine["strategy"]}
        for key, value in mine.items():
            if key in self._SECTIONS:
                value = {name: item for name, item in value.items() if item != defaults[key][name]}
            if key != "strategy" and value != ({} if key in self._SECTIONS else defaults[key]):
                result[key] = value
        return result


def create_production_optimization_config(
    max_concurrent_streams: int = 100,
    target_latency_ms: float = 100.0,
    strategy: OptimizationStrategy = OptimizationStrategy.LATENCY_OPTIMIZED,
) -> OptimizationConfig:
    """A configuration for production: the strategy's changes applied to the defaults."""
    config = OptimizationConfig(
        strategy=strategy,
        max_concurrent_streams=max_concurrent_streams,
        target_latency_ms=target_latency_ms,
    )
    return config.get_optimized_config_for_strategy()
