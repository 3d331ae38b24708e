#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <unordered_set>
#include <utility>

#include "layers/core/error.h"
#include "trainer/storage/safetensors_header.h"

namespace convoy::safetensors {
namespace {

namespace json = boost::json;

/// Receives the events of Boost's parser and accepts the one form that a header has: an object of tensors
/// {"dtype": string, "shape": [integers], "data_offsets": [begin, end]} and of one "__metadata__" {string:
/// string}. A generic JSON value would do with less code, but hides keys that are given twice.
class HeaderHandler {
 public:
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

  explicit HeaderHandler(const std::string& path) : path_(path) {}
  Header take() { return std::move(header_); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code&) {
    if (level_ == Level::document) return enter(Level::file);
    if (level_ != Level::file) refuse("an object");
    if (!names_.insert(name_).second) broken(path_, fmt::format("{} is there twice", in_quotes(name_)));
    if (name_ == "__metadata__") return enter(Level::metadata);
    header_.entries.push_back({name_, "", {}, 0, 0});
    seen_ = {};
    return enter(Level::tensor);
  }

  bool on_object_end(std::size_t, json::error_code&) {
    if (level_ == Level::file) return enter(Level::document);
    if (level_ == Level::tensor)
      for (std::size_t i = 0; i < fields.size(); ++i)
        if (!seen_[i]) broken(path_, fmt::format("tensor {} has no {}", in_quotes(name_), fields[i]));
    return enter(Level::file);
  }

  bool on_array_begin(json::error_code&) {
    if (level_ != Level::tensor || field_ == dtype) refuse("an array");
    numbers_.clear();
    return enter(Level::array);
  }

  bool on_array_end(std::size_t, json::error_code&) {
    Entry& entry = header_.entries.back();
    if (field_ == shape) {
      entry.dims = numbers_;
    } else {
      if (numbers_.size() != 2)
        broken(path_, fmt::format("data_offsets of {} are not two numbers", in_quotes(name_)));
      entry.begin = numbers_[0];
      entry.end = numbers_[1];
    }
    return enter(Level::tensor);
  }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return append(part); }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    append(part);
    (level_ == Level::file ? name_ : key_) = std::exchange(text_, {});
    if (level_ == Level::tensor) choose_field();
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return append(part); }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    append(part);
    std::string text = std::exchange(text_, {});
    if (level_ == Level::metadata) {
      if (!header_.metadata.emplace(key_, std::move(text)).second)
        broken(path_, fmt::format("metadata {} is there twice", in_quotes(key_)));
    } else if (level_ == Level::tensor && field_ == dtype) {
      header_.entries.back().dtype = std::move(text);
    } else {
      refuse("a string");
    }
    return true;
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    if (level_ != Level::array || number < 0) refuse(number < 0 ? "a negative number" : "a number");
    numbers_.push_back(number);
    return true;
  }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { refuse("a number over 2^63"); }
  bool on_double(double, json::string_view, json::error_code&) { refuse("a number that is not an integer"); }
  bool on_bool(bool, json::error_code&) { refuse("a truth value"); }
  bool on_null(json::error_code&) { refuse("null"); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  enum class Level { document, file, metadata, tensor, array };
  static constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};
  static constexpr std::size_t dtype = 0;
  static constexpr std::size_t shape = 1;

  bool enter(Level level) {
    level_ = level;
    return true;
  }

  bool append(json::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }

  void choose_field() {
    for (field_ = 0; field_ < fields.size() && fields[field_] != key_;) ++field_;
    if (field_ == fields.size() || std::exchange(seen_[field_], true))
      broken(path_, fmt::format("tensor {} has the key {}{}", in_quotes(name_), in_quotes(key_),
                                field_ == fields.size() ? ", which the format does not know" : " twice"));
  }

  [[noreturn]] void refuse(const char* what) {
    if (level_ == Level::document) broken(path_, fmt::format("the header is {}, not an object", what));
    broken(path_, fmt::format("in the header {} stands where it cannot be, in {}", what, in_quotes(name_)));
  }

  const std::string& path_;
  Header header_;
  Level level_ = Level::document;
  std::unordered_set<std::string> names_;
  std::string text_;                   ///< what has come of the current key or string
  std::string name_;                   ///< last key of the file object
  std::string key_;                    ///< last key below it
  std::size_t field_ = 0;              ///< index of key_ in fields
  std::array<bool, 3> seen_{};         ///< fields that the current tensor has
  std::vector<std::int64_t> numbers_;  ///< the current array
};

}  // namespace

Header parse_header(const std::string& path, std::string_view text) {
  if (!text.starts_with('{')) broken(path, "the header, from byte 8 on, is not a JSON object");
  const json::parse_options strict{.max_depth = 8};
  json::basic_parser<HeaderHandler> parser(strict, path);
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error)
    broken(path,
           fmt::format("the header is not valid JSON at byte {}: {}", length_bytes + used, error.message()));
  const std::size_t extra = text.find_first_not_of(" \t\r\n", used);
  if (extra != std::string_view::npos)
    broken(path, fmt::format("text follows the header's JSON at byte {}", length_bytes + extra));
  return parser.handler().take();
}

}  // namespace convoy::safetensors
