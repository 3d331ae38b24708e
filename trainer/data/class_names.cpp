#include "trainer/data/class_names.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {

std::vector<std::string> numbered_names(int classes) {
  std::vector<std::string> names;
  for (int i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

std::vector<std::string> fashion_mnist_names() {
  return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
          "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
}

std::vector<std::string> cifar10_names() {
  return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
}

std::vector<std::string> cifar100_names() {
  return {"apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
          "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
          "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
          "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
          "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
          "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
          "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
          "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
          "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
          "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
          "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
          "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
          "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
          "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
          "table",       "tank",          "telephone", "television", "tiger",        "tractor",
          "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
          "willow_tree", "wolf",          "woman",     "worm"};
}

std::vector<std::string> listed_names(const std::filesystem::path& file) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return names;
  const auto wrong = [&](const char* what) {
    fail(ExitCode::data, "{}:{}: {}; it names one class a line", printable(file.string()), names.size() + 1,
         what);
  };
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line); names.push_back(std::move(line))) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) wrong("is empty");
    if (!seen.insert(line).second) wrong("names a class again");
    if (static_cast<std::int32_t>(names.size()) >= kMostClasses) wrong("is one class too many");
  }
  if (names.empty()) wrong("the file is empty, or cannot be read");
  return names;
}

std::vector<std::string> names_of_numbers(const std::filesystem::path& file, std::size_t labels, int classes,
                                          const std::string& place) {
  std::vector<std::string> names = listed_names(file);
  if (names.empty()) return numbered_names(std::max(classes, static_cast<int>(labels)));
  if (names.size() < labels) {
    fail(ExitCode::data, "{}: has label {}, but {} names {} classes", printable(place), labels - 1,
         printable(file.string()), names.size());
  }
  return names;
}

}  // namespace convoy
