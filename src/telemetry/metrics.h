// SPDX-License-Identifier: Apache-2.0
// A small metrics registry with the Prometheus text format 0.0.4. Handles are resolved once;
// counting through one allocates nothing. Label sets per family are bounded: what comes later is
// counted under "other", and weir_metric_overflows_total says so. I/O thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::telemetry {

class Counter {
 public:
  void add(std::uint64_t count = 1) { value_ += count; }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

// Cumulative buckets over fixed upper bounds, in seconds.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  void observe(double seconds);
  const std::vector<double>& bounds() const { return bounds_; }
  const std::vector<std::uint64_t>& counts() const {
    return counts_;
  }  // per bucket, the last is +Inf
  double sum() const { return sum_; }
  // The upper bound of the bucket that holds this share of all observations; 0 without any.
  double quantile(double share) const;

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

inline constexpr std::size_t kLabelSetsMax = 500;  // per family, and one more for "other"

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The same name and labels give the same handle, which lives as long as the registry. One name
  // has one type and help.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       const std::vector<double>& bounds, const Labels& labels = {});
  // Asked at every scrape; writes one or several samples with Sample::add. How many is bounded by
  // what there is: flows, dependencies.
  class Sample {
   public:
    void add(double value, const Labels& labels = {});

   private:
    friend class Registry;
    Sample(std::string& out, std::string_view name) : out_(out), name_(name) {}
    std::string& out_;
    std::string_view name_;
  };
  void gauge(std::string name, std::string help, std::function<void(Sample&)> read);
  // As gauge(), for totals that somebody else counts.
  void counter_from(std::string name, std::string help, std::function<void(Sample&)> read);

  std::string text() const;

 private:
  struct Family;
  Family& family(std::string_view name, std::string_view help, std::string_view type);
  std::vector<std::unique_ptr<Family>> families_;
  std::uint64_t overflows_ = 0;
};

}  // namespace weir::telemetry
