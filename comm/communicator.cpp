#include "comm/communicator.h"

#include <algorithm>

#include "comm/operation.h"

namespace convoy {

std::int64_t size_of(Element element) {
  switch (element) {
    case Element::f32:
      return 4;
    case Element::f64:
    case Element::s64:
      return 8;
    case Element::u8:
      return 1;
  }
  return 0;
}

namespace {

template <class T>
constexpr Element element_of() {
  if constexpr (std::is_same_v<T, float>) return Element::f32;
  if constexpr (std::is_same_v<T, double>) return Element::f64;
  if constexpr (std::is_same_v<T, std::int64_t>) return Element::s64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Element::u8;
}

template <class T>
void reduce_all(Communicator& comm, std::span<T> data, Reduction reduction, const std::string& name) {
  comm.start_all_reduce(data.data(), std::ssize(data), element_of<T>(), reduction, name).wait();
}

template <class T>
void broadcast_all(Communicator& comm, std::span<T> data, int root, const std::string& name) {
  comm.start_broadcast(data.data(), std::ssize(data), element_of<T>(), root, name).wait();
}

}  // namespace

void Communicator::all_reduce(std::span<float> data, Reduction reduction, const std::string& name) {
  reduce_all(*this, data, reduction, name);
}
void Communicator::all_reduce(std::span<double> data, Reduction reduction, const std::string& name) {
  reduce_all(*this, data, reduction, name);
}
void Communicator::all_reduce(std::span<std::int64_t> data, Reduction reduction, const std::string& name) {
  reduce_all(*this, data, reduction, name);
}
double Communicator::all_reduce(double value, Reduction reduction, const std::string& name) {
  reduce_all(*this, std::span(&value, 1), reduction, name);
  return value;
}
std::int64_t Communicator::all_reduce(std::int64_t value, Reduction reduction, const std::string& name) {
  reduce_all(*this, std::span(&value, 1), reduction, name);
  return value;
}

void Communicator::broadcast(std::span<float> data, int root, const std::string& name) {
  broadcast_all(*this, data, root, name);
}
void Communicator::broadcast(std::span<double> data, int root, const std::string& name) {
  broadcast_all(*this, data, root, name);
}
void Communicator::broadcast(std::span<std::int64_t> data, int root, const std::string& name) {
  broadcast_all(*this, data, root, name);
}
void Communicator::broadcast(std::span<std::uint8_t> data, int root, const std::string& name) {
  broadcast_all(*this, data, root, name);
}

std::string Communicator::broadcast_string(const std::string& text, int root, const std::string& name) {
  std::int64_t length = std::ssize(text);
  broadcast_all(*this, std::span(&length, 1), root, name + ", length");
  std::string result = rank() == root ? text : std::string(static_cast<std::size_t>(length), '\0');
  start_broadcast(result.data(), length, Element::u8, root, name).wait();
  return result;
}

std::vector<std::string> Communicator::gather_strings(const std::string& text, const std::string& name) {
  const auto ranks = static_cast<std::size_t>(size());
  const auto me = static_cast<std::size_t>(rank());
  std::vector<std::int64_t> lengths(ranks);
  lengths[me] = std::ssize(text);
  start_all_gather(lengths.data(), 1, Element::s64, name + ", lengths").wait();

  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<char> bytes(longest * ranks);
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(longest * me));
  start_all_gather(bytes.data(), static_cast<std::int64_t>(longest), Element::u8, name).wait();

  std::vector<std::string> texts;
  for (std::size_t other = 0; other < ranks; ++other) {
    texts.emplace_back(bytes.data() + longest * other, static_cast<std::size_t>(lengths[other]));
  }
  return texts;
}

}  // namespace convoy
