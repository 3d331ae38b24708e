#include "layers/graph/write_layer.h"

namespace convoy {
namespace {

std::string text_of(const Initializer& initializer) {
  TomlRow fields;
  switch (initializer.kind) {
    case Initializer::Kind::constant:
      fields.add("constant", initializer.value);
      return fields.text();
    case Initializer::Kind::gaussian:
      fields.add("gaussian", initializer.value);
      return fields.text();
    case Initializer::Kind::xavier:
      return toml_quote("xavier");
    case Initializer::Kind::bilinear:
      return toml_quote("bilinear");
    case Initializer::Kind::msra:
      return toml_quote("msra");
  }
  return "";
}

}  // namespace

void write_padding(TomlRow& row, const Padding& padding) {
  if (padding.same) {
    row.add("padding", std::string_view("same"));
    return;
  }
  if (padding.top == padding.bottom && padding.left == padding.right) {
    row.add("padding", std::pair{padding.top, padding.left}, kNone);
    return;
  }
  TomlRow sides;
  sides.add("top", padding.top);
  sides.add("left", padding.left);
  sides.add("bottom", padding.bottom);
  sides.add("right", padding.right);
  row.add_text("padding", sides.text());
}

void write_initializer(TomlRow& row, std::string_view key, const Initializer& initializer,
                       const Initializer& otherwise) {
  if (initializer != otherwise) row.add_text(key, text_of(initializer));
}

}  // namespace convoy
