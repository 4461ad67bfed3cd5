"""The performance system: its configuration."""

from .optimization_config import (
    AdaptiveQualityConfig,
    CacheEvictionPolicy,
    CachingConfig,
    ConnectionPoolConfig,
    GPUOptimizationConfig,
    LatencyMonitoringConfig,
    OptimizationConfig,
    OptimizationStrategy,
    create_production_optimization_config,
)

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
