// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/assert.h"

namespace weir::telemetry {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
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
    append_escaped(text, value);
    text.push_back('"');
  }
  return text;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
  out += name;
  if (!labels.empty()) out += fmt::format("{{{}}}", labels);
  out += fmt::format(" {}\n", value);
}

}  // namespace

struct Registry::Family {
  std::string name;
  std::string help;
  std::string type;
  std::map<std::string, std::unique_ptr<Counter>, std::less<>> counters;
  std::map<std::string, std::unique_ptr<Histogram>, std::less<>> histograms;
  std::function<void(Sample&)> read;

  // Beyond the bound every new label set is "other".
  template <class Map>
  static std::string bounded(const Map& known, const Labels& labels) {
    std::string text = label_text(labels);
    if (known.size() < kLabelSetsMax || known.contains(text)) return text;
    Labels other = labels;
    for (auto& [name, value] : other) value = "other";
    return label_text(other);
  }
};

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
  auto& slot = in.counters[Family::bounded(in.counters, labels)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               const std::vector<double>& bounds, const Labels& labels) {
  Family& in = family(name, help, "histogram");
  auto& slot = in.histograms[Family::bounded(in.histograms, labels)];
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
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family->name, family->help, family->name,
                       family->type);
    for (const auto& [labels, counter] : family->counters) {
      append_sample(out, family->name, labels, static_cast<double>(counter->value()));
    }
    for (const auto& [labels, histogram] : family->histograms) {
      std::uint64_t seen = 0;
      const std::string comma = labels.empty() ? "" : ",";
      for (std::size_t i = 0; i < histogram->bounds().size(); ++i) {
        seen += histogram->counts()[i];
        const std::string bucket = fmt::format("{}{}le=\"{}\"", labels, comma,
                                               histogram->bounds()[i]);
        append_sample(out, family->name + "_bucket", bucket, static_cast<double>(seen));
      }
      seen += histogram->counts().back();
      append_sample(out, family->name + "_bucket", fmt::format("{}{}le=\"+Inf\"", labels, comma),
                    static_cast<double>(seen));
      append_sample(out, family->name + "_sum", labels, histogram->sum());
      append_sample(out, family->name + "_count", labels, static_cast<double>(seen));
    }
    if (family->read) {
      Sample sample(out, family->name);
      family->read(sample);
    }
  }
  return out;
}

}  // namespace weir::telemetry
