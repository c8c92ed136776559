// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::telemetry {
namespace {

// In a label value quotes are escaped too, in a help text they are not.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\' || (c == '"' && quotes)) out.push_back('\\');
    if (c == '\n' && !WEIR_SEEDED_BUG("metrics.label_breaks_line")) {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
}

// name="value",... without braces
std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text.push_back(',');
    text += name;
    text += "=\"";
    append_escaped(text, value, true);
    text.push_back('"');
  }
  return text;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::string_view value) {
  out += name;
  if (!labels.empty()) out += fmt::format("{{{}}}", labels);
  out += fmt::format(" {}\n", value);
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
  append_sample(out, name, labels, number_text(value));
}

void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   std::uint64_t value) {
  append_sample(out, name, labels, fmt::format("{}", value));
}

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view type) {
  out += fmt::format("# HELP {} ", name);
  append_escaped(out, help, false);
  out += fmt::format("\n# TYPE {} {}\n", name, type);
}

void append_histogram(std::string& out, const std::string& name, const std::string& labels,
                      const Histogram& histogram) {
  const std::string comma = labels.empty() ? "" : ",";
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    seen += histogram.counts()[i];
    const bool last = i == histogram.bounds().size();
    const std::string bound = last ? "+Inf" : number_text(histogram.bounds()[i]);
    append_sample(out, name + "_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, bound), seen);
  }
  append_sample(out, name + "_sum", labels, histogram.sum());
  append_sample(out, name + "_count", labels, seen);
}

}  // namespace

struct Registry::Family {
  std::string name;
  std::string help;
  std::string type;
  std::map<std::string, std::unique_ptr<Counter>, std::less<>> counters;
  std::map<std::string, std::unique_ptr<Histogram>, std::less<>> histograms;
  std::function<void(Sample&)> read;
};

namespace {

// The text of the label set; beyond the bound every new one is "other", which is counted.
template <class Map>
std::string bounded(const Map& known, const Labels& labels, std::uint64_t& overflows) {
  std::string text = label_text(labels);
  if (known.size() < kLabelSetsMax || known.contains(text)) return text;
  ++overflows;
  Labels other = labels;
  for (auto& [name, value] : other) value = "other";
  return label_text(other);
}

}  // namespace

Registry::Registry() = default;
Registry::~Registry() = default;

void Histogram::observe(double seconds) {
  const auto bucket = std::ranges::lower_bound(bounds_, seconds) - bounds_.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_ += seconds;
}

double Histogram::quantile(double share) const {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    seen += counts_[i];
    if (total > 0 && static_cast<double>(seen) >= share * static_cast<double>(total))
      return bounds_[i];
  }
  return total == 0 ? 0 : bounds_.back();
}

Registry::Family& Registry::family(std::string_view name, std::string_view help,
                                   std::string_view type) {
  const auto found = std::ranges::find_if(
      families_, [name](const auto& known) { return known->name == name; });
  if (found != families_.end()) {
    WEIR_ASSERT((*found)->type == type);
    return **found;
  }
  families_.push_back(std::make_unique<Family>());
  families_.back()->name = name;
  families_.back()->help = help;
  families_.back()->type = type;
  return *families_.back();
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  Family& in = family(name, help, "counter");
  auto& slot = in.counters[bounded(in.counters, labels, overflows_)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               const std::vector<double>& bounds, const Labels& labels) {
  Family& in = family(name, help, "histogram");
  auto& slot = in.histograms[bounded(in.histograms, labels, overflows_)];
  if (!slot) slot = std::make_unique<Histogram>(bounds);
  return *slot;
}

void Registry::gauge(std::string name, std::string help, std::function<void(Sample&)> read) {
  family(name, help, "gauge").read = std::move(read);
}

void Registry::counter_from(std::string name, std::string help, std::function<void(Sample&)> read) {
  family(name, help, "counter").read = std::move(read);
}

void Registry::Sample::add(double value, const Labels& labels) {
  append_sample(out_, name_, label_text(labels), value);
}

std::string Registry::text() const {
  std::string out;
  for (const auto& family : families_) {
    append_head(out, family->name, family->help, family->type);
    for (const auto& [labels, counter] : family->counters) {
      append_sample(out, family->name, labels, counter->value());
    }
    for (const auto& [labels, histogram] : family->histograms) {
      append_histogram(out, family->name, labels, *histogram);
    }
    if (family->read) {
      Sample sample(out, family->name);
      family->read(sample);
    }
  }
  constexpr std::string_view kOverflows = "weir_metric_overflows_total";
  append_head(out, kOverflows, "Label sets counted as other because their family was full.",
              "counter");
  append_sample(out, kOverflows, "", overflows_);
  return out;
}

}  // namespace weir::telemetry
