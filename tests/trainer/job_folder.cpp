#include "tests/trainer/job_folder.h"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "trainer/storage/checkpoint_store.h"

namespace convoy::test {

const char* const kLeNetWithDropout = R"(name = "lenet"
input = { channels = 1, height = 28, width = 28 }
layers = [
  { name = "conv1", type = "convolution", outputs = 20, kernel = 5, weight_init = "xavier" },
  { name = "pool1", type = "max_pool", kernel = 2, stride = 2 },
  { name = "conv2", type = "convolution", outputs = 50, kernel = 5, weight_init = "xavier" },
  { name = "pool2", type = "max_pool", kernel = 2, stride = 2 },
  { name = "ip1", type = "fully_connected", outputs = 500, weight_init = "xavier" },
  { name = "relu1", type = "relu" },
  { name = "drop1", type = "dropout", rate = 0.5 },
  { name = "ip2", type = "fully_connected", outputs = 10, weight_init = "xavier" },
  { name = "loss", type = "softmax_loss" },
]
)";

const char* const kTinyNetwork = R"(name = "tiny"
input = { channels = 1, height = 8, width = 8 }
layers = [
  { name = "conv1", type = "convolution", outputs = 4, kernel = 3 },
  { name = "relu1", type = "relu" },
  { name = "pool1", type = "max_pool", kernel = 2, stride = 2 },
  { name = "drop1", type = "dropout", rate = 0.25 },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";

const char* const kTinyBatchNorm = R"(name = "tiny-bn"
input = { channels = 1, height = 8, width = 8 }
layers = [
  { name = "conv1", type = "convolution", outputs = 4, kernel = 3, bias = false },
  { name = "bn1", type = "batch_norm" },
  { name = "relu1", type = "relu" },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";

const char* const kTinyHeads = R"(name = "tiny-heads"
input = { channels = 1, height = 8, width = 8 }
layers = [
  { name = "conv1", type = "convolution", outputs = 4, kernel = 3 },
  { name = "relu1", type = "relu" },
  { name = "drop1", type = "dropout", rate = 0.25 },
  { name = "head_ip", type = "fully_connected", outputs = 4 },
  { name = "head", type = "softmax_loss", auxiliary = true, weight = 0.3 },
  { name = "conv2", type = "convolution", outputs = 8, kernel = 3, from = "relu1" },
  { name = "cat", type = "concat", from = ["conv2", "conv2"] },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss", label_smoothing = 0.1 },
  { name = "other_ip", type = "fully_connected", outputs = 4, from = "relu1" },
  { name = "other", type = "hinge", norm = 2, auxiliary = true, weight = 0.1 },
]
)";

JobFolder::JobFolder() {
  static std::atomic<int> count{0};
  const std::string name = "convoy-e2e-" + std::to_string(getpid()) + "-" + std::to_string(count++);
  folder_ = std::filesystem::temp_directory_path() / name;
  std::filesystem::create_directories(folder_);
}

JobFolder::~JobFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string JobFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name, std::ios::binary) << text;
  return path(name);
}

std::string JobFolder::write_job(const std::string& network, const std::string& sections) const {
  write("net.toml", network);
  return write("job.toml",
               "network = \"net.toml\"\nthreads = 1\nkernels = \"default\"\n[data]\nkind = \"synthetic\"\n" +
                   sections);
}

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<boost::json::object> metrics_of(const std::string& run, const std::string& kind) {
  std::vector<boost::json::object> lines;
  std::ifstream file(run + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    boost::json::object object = boost::json::parse(line).as_object();
    if (object.at("kind").as_string() == kind) lines.push_back(std::move(object));
  }
  return lines;
}

std::vector<double> numbers_of(const std::vector<boost::json::object>& lines, const std::string& key) {
  std::vector<double> numbers;
  for (const auto& line : lines) numbers.push_back(line.at(key).to_number<double>());
  return numbers;
}

std::vector<double> losses_of(const std::string& run) { return numbers_of(metrics_of(run, "train"), "loss"); }

boost::json::object summary_of(const std::string& run) {
  return boost::json::parse(read_text(run + "/summary.json")).as_object();
}

std::vector<std::string> checkpoints_of(const std::string& run) {
  return CheckpointStore(run + "/checkpoints", 1).list();
}

std::vector<std::pair<std::string, std::string>> newest_tensors(const std::string& run) {
  std::vector<std::pair<std::string, std::string>> tensors;
  const SafetensorsFile file(open_checkpoint(checkpoints_of(run).back()));
  for (const TensorView& view : file.tensors()) {
    tensors.emplace_back(view.name,
                         std::string(reinterpret_cast<const char*>(view.data.data()), view.data.size()));
  }
  return tensors;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]) / std::abs(b[i]);
    largest = difference > largest || std::isnan(difference) ? difference : largest;
  }
  return largest;
}

}  // namespace convoy::test
